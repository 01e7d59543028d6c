// The tasks that somebody should look at, each with the reason.

import type { JSX } from 'preact';
import { Task } from '../../parts/task';
import { address } from '../../state/url';
import { count, percent, plural } from '../../text/number';
import type { TaskRow } from '../tasks/fleet';
import { Failed, LastRun, StateWords } from '../tasks/parts';
import { attention } from './findings';

/** Heads and classes of the columns; those that are "wide" are left out on a narrow screen. */
const HEADS = [
  ['Task', ''],
  ['Why', ''],
  ['Failed', 'end'],
  ['Runs', 'end wide'],
  ['Success', 'end wide'],
  ['Last run', 'end wide'],
] as const;

export function Attention({ rows }: { rows: readonly TaskRow[] | null }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="attention">
      <h2 id="attention">Tasks that need attention</h2>
      {rows ? <Found rows={rows} /> : <p class="skeleton waiting">…</p>}
    </section>
  );
}

function Found({ rows }: { rows: readonly TaskRow[] }): JSX.Element {
  const found = attention(rows);
  const all = rows.filter(({ states }) => states.length).length;
  if (!found.length) {
    return (
      <p class="dim">
        None of {plural(rows.length, 'task', 'tasks')} is failing, slower, silent or flaky.{' '}
        <a href={address('/ui/tasks')}>All tasks</a>
      </p>
    );
  }
  return (
    <>
      <table class="plain">
        <thead>
          <tr>
            {HEADS.map(([head, kind]) => (
              <th key={head} scope="col" class={kind}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.map(({ row }) => (
            <Line key={row.id} row={row} />
          ))}
        </tbody>
      </table>
      {all > found.length && (
        <p>
          <a href={address('/ui/tasks')}>All {plural(all, 'task', 'tasks')} that need attention</a>
        </p>
      )}
    </>
  );
}

function Line({ row }: { row: TaskRow }): JSX.Element {
  return (
    <tr data-task={row.id}>
      <td class="clip">
        <Task id={row.id} />
      </td>
      <td>
        <StateWords states={row.states} signs={row} />
      </td>
      <td class="end">
        {row.failed ? (
          <a href={address('/ui/runs', { task_id: row.id, status: 'failed' })}>
            <Failed row={row} />
          </a>
        ) : (
          <Failed row={row} />
        )}
      </td>
      <td class="end wide">{count(row.runs)}</td>
      <td class="end wide">{row.success === null ? '–' : percent(row.success)}</td>
      <td class="end wide">
        <LastRun row={row} />
      </td>
    </tr>
  );
}
