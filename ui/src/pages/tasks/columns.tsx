// The columns of the fleet.

import type { JSX } from 'preact';
import { Task } from '../../parts/task';
import { change } from '../../state/url';
import type { Column } from '../../table/table';
import { duration } from '../../text/duration';
import { count, percent, plural } from '../../text/number';
import { type GroupRow, isGroup, type Line as Row, toggleFolded } from './groups';
import { Failed, Growth, LastRun, Line, StateWords } from './parts';
import { STATE_NAMES, STATES } from './states';

const time = (seconds: number | null) => (seconds === null ? <span class="dim">–</span> : duration(seconds));
const END = { end: true, sortable: true } as const;

/** A tag with its tasks; a click folds them. */
function Group({ row: { group, tasks, folded } }: { row: GroupRow }): JSX.Element {
  return (
    <>
      <button type="button" class="bare" aria-expanded={!folded} onClick={() => toggleFolded(group)}>
        <i aria-hidden="true">{folded ? '▸' : '▾'}</i> <bdi>{group || 'no tag'}</bdi>
      </button>{' '}
      <span class="dim">{plural(tasks, 'task', 'tasks')}</span>
    </>
  );
}

/** How many tasks of a tag are in each state. */
function GroupStates({ row: { states, counts } }: { row: GroupRow }): JSX.Element {
  return (
    <>
      {STATE_NAMES.filter((state) => states.includes(state)).map((state) => (
        <span key={state} class={`state ${state}`} title={`${count(counts[state])} ${STATES[state].many}`}>
          <i aria-hidden="true">{STATES[state].glyph}</i> <span class="vh">{STATES[state].many} </span>
          {count(counts[state])}
        </span>
      ))}
    </>
  );
}

export const columns: readonly Column<Row>[] = [
  {
    key: 'task',
    head: 'Task',
    width: '13rem',
    sortable: true,
    cell: (row) => (isGroup(row) ? <Group row={row} /> : <Task id={row.id} />),
  },
  {
    key: 'attention',
    head: 'State',
    title: `Who needs attention first.\n${Object.values(STATES)
      .map(({ means }) => means)
      .join('\n')}`,
    width: '12.5rem',
    sortable: true,
    cell: (row) => (isGroup(row) ? <GroupStates row={row} /> : <StateWords states={row.states} signs={row} />),
  },
  {
    key: 'runs',
    head: 'Runs',
    title: 'Runs that started in the window',
    width: '4.5rem',
    ...END,
    cell: ({ runs }) => count(runs),
  },
  { key: 'failed', head: 'Failed', width: '5rem', ...END, cell: (row) => <Failed row={row} /> },
  {
    key: 'success',
    head: 'Success',
    title: 'Succeeded share of the finished runs',
    width: '5.5rem',
    ...END,
    cell: ({ success }) => (success === null ? <span class="dim">–</span> : percent(success)),
  },
  {
    key: 'p50',
    head: 'p50',
    title: 'Half of the runs took less',
    width: '5.5rem',
    ...END,
    cell: ({ p50 }) => time(p50),
  },
  {
    key: 'p95',
    head: 'p95',
    title: '95 % of the runs took less',
    width: '5.5rem',
    ...END,
    cell: ({ p95 }) => time(p95),
  },
  {
    key: 'before',
    head: 'vs before',
    title: 'The p95, as a multiple of that of the window before',
    width: '5rem',
    ...END,
    cell: (row) => <Growth row={row} />,
  },
  { key: 'most', head: 'Longest', width: '5.5rem', ...END, cell: ({ most }) => time(most) },
  {
    key: 'line',
    head: 'Over time',
    title: 'Runs, and failed runs, over the window',
    width: '9.5rem',
    cell: (row) => <Line row={row} />,
  },
  {
    key: 'last',
    head: 'Last run',
    width: '7rem',
    ...END,
    cell: (row) => <LastRun row={row} />,
  },
  {
    key: 'tags',
    head: 'Tags',
    sortable: true,
    cell: ({ tags }) =>
      tags.map((tag) => (
        <button
          key={tag}
          type="button"
          class="bare tag"
          onClick={() => change({ q: tag })}
          title={`Only tasks with ${tag}`}
        >
          <bdi>{tag}</bdi>
        </button>
      )),
  },
];
