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

const WORDS: Record<State, (n: number) => string> = {
  failing: (n) => plural(n, 'task is failing', 'tasks are failing'),
  slower: (n) => plural(n, 'is slower', 'are slower'),
  silent: (n) => plural(n, 'is silent', 'are silent'),
  flaky: (n) => plural(n, 'is flaky', 'are flaky'),
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
      {wrong.map(({ state, n }) => (
        <span key={state} class={`state ${state}`} title={STATES[state].means}>
          <i aria-hidden="true">{STATES[state].glyph}</i>{' '}
          <a href={address('/ui/tasks', { state })}>{WORDS[state](n)}</a>
        </span>
      ))}
      {first && (
        <span>
          most of all <Task id={first.id} />: {count(first.failed)} of {plural(first.runs, 'run', 'runs')} failed
          {first.failedBefore !== null && `, ${count(first.failedBefore)} of ${count(first.runsBefore ?? 0)} before`}
        </span>
      )}
      {groups[0] && (
        <span>
          <b class="new">new</b>{' '}
          <a href={address(`/ui/errors/${groups[0].id}`)} title={errorName(groups[0])}>
            {groups.length > 1 ? `${groups.length} errors` : (groups[0].kind ?? 'error')}
          </a>{' '}
          since {ago(Math.min(...groups.map((group) => millis(group.first_seen))), now.value).replace(' ago', '')}
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
