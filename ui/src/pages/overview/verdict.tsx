// The first line: whether something is wrong, since when, and where.

import type { JSX } from 'preact';
import type { ErrorGroup } from '../../api';
import { Task } from '../../parts/task';
import { address } from '../../state/url';
import { now } from '../../state/window';
import { count, percent, plural } from '../../text/number';
import { ago, millis } from '../../text/time';
import type { TaskRow } from '../tasks/fleet';
import { STATE_NAMES, STATES, type State } from '../tasks/states';
import { errorName } from './errors';
import { type Worker, worst } from './findings';

interface VerdictProps {
  rows: readonly TaskRow[];
  groups: readonly ErrorGroup[];
  workers: readonly Worker[];
}

/** "7 tasks are failing", and after that "2 are slower". */
const words = (state: State, n: number, first: boolean): string => {
  const [one, many] = first ? ['task is', 'tasks are'] : ['is', 'are'];
  return `${plural(n, one, many)} ${STATES[state].many}`;
};

export function Verdict({ rows, groups, workers }: VerdictProps): JSX.Element {
  const counts = STATE_NAMES.map((state) => ({ state, n: rows.filter((row) => row.states.includes(state)).length }));
  const wrong = counts.filter(({ n }) => n > 0);
  const first = worst(rows);
  const quiet = !wrong.length && !groups.length && !workers.length;
  return (
    <p class={`verdict ${quiet ? 'well' : ''}`} data-verdict>
      {quiet && (
        <>
          <i aria-hidden="true">✓</i> No task is failing, slower, silent or flaky; no error is new; no worker stands
          out.
        </>
      )}
      {wrong.map(({ state, n }, at) => (
        <span key={state} class={`state ${state}`} title={STATES[state].means}>
          <i aria-hidden="true">{STATES[state].glyph}</i>{' '}
          <a href={address('/ui/tasks', { state })}>{words(state, n, at === 0)}</a>
        </span>
      ))}
      {first && (
        <span>
          most of all <Task id={first.id} />: {count(first.failed)} of {plural(first.runs, 'run', 'runs')} failed
          {first.runsBefore ? `, ${count(first.failedBefore ?? 0)} of ${count(first.runsBefore)} before` : ''}
        </span>
      )}
      {groups[0] && (
        <span>
          <b class="new">new</b>{' '}
          <a href={address(`/ui/errors/${groups[0].id}`)} title={errorName(groups[0])}>
            {groups.length > 1 ? `${groups.length} errors` : (groups[0].kind ?? 'error')}
          </a>{' '}
          first seen {ago(Math.min(...groups.map((group) => millis(group.first_seen))), now.value)}
        </span>
      )}
      {workers[0] && (
        <span>
          <a href={address('/ui/runs', { lease_owner: workers[0].name, status: 'failed' })}>
            <bdi>{workers[0].name}</bdi>
          </a>{' '}
          fails {percent(workers[0].share)}, others {percent(workers[0].others)}
        </span>
      )}
    </p>
  );
}
