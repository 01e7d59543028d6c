// What stands out: tasks, errors and workers, in the order in which somebody should look at them.

import type { ErrorGroup, Owners } from '../../api';
import type { TaskRow } from '../tasks/fleet';
import { STATE_NAMES, type State } from '../tasks/states';

export const MOST = 10; // tasks

/** A task and the reason for which it is listed. */
export interface Listed {
  row: TaskRow;
  state: State;
}

/** How much a task of a state stands out among those of the same state. */
const WEIGHT: Record<State, (row: TaskRow) => number> = {
  failing: ({ streak, failureZ }) => -streak + Math.max(0, failureZ ?? 0),
  slower: ({ runs }) => runs,
  silent: ({ silent }) => -silent!, // those that have just stopped
  flaky: ({ failed }) => failed,
};

/** Up to ten tasks: of each state those that stand out most, in turns, so that no state hides another. */
export function attention(rows: readonly TaskRow[]): Listed[] {
  const queues = STATE_NAMES.map((state) => ranked(rows, state));
  const found: Listed[] = [];
  for (let turn = 0; found.length < MOST && queues.some((queue) => queue.length > turn); turn++) {
    found.push(...queues.flatMap((queue) => queue.slice(turn, turn + 1)));
  }
  return found.slice(0, MOST).sort((a, b) => STATE_NAMES.indexOf(a.state) - STATE_NAMES.indexOf(b.state));
}

/** The task that fails most unlike before, or else the one with the most failures in a row. */
export function worst(rows: readonly TaskRow[]): TaskRow | null {
  const failing = rows.filter(({ failed, states }) => failed && states.length);
  return [...failing].sort((a, b) => WEIGHT.failing(b) - WEIGHT.failing(a) || b.failed - a.failed)[0] ?? null;
}

/** The tasks of which a state is the gravest, the most outstanding first. */
function ranked(rows: readonly TaskRow[], state: State): Listed[] {
  const weight = WEIGHT[state];
  return rows
    .filter(({ states }) => states[0] === state)
    .sort((a, b) => weight(b) - weight(a) || (a.id < b.id ? -1 : 1))
    .map((row) => ({ row, state }));
}

export interface Worker {
  name: string;
  runs: number;
  failed: number;
  share: number;
  /** The failed share of all other workers' finished runs. */
  others: number;
}

const SURE = 4; // standard errors: by chance, one worker of 30,000 is that far out
const LEAST = 5; // failures

/** At most three workers that fail far more often than all others, the farthest out first. */
export function outstanding({ columns }: Owners): Worker[] {
  const total = { failed: 0, finished: 0 };
  for (const [at, runs] of columns.runs.entries()) {
    total.failed += columns.failed[at]!;
    total.finished += runs - columns.open[at]!;
  }
  return columns.owner
    .map((name, at) => ({
      name,
      runs: columns.runs[at]!,
      failed: columns.failed[at]!,
      z: columns.failure_z[at] ?? 0,
      finished: columns.runs[at]! - columns.open[at]!,
    }))
    .filter(({ z, failed }) => z >= SURE && failed >= LEAST)
    .sort((a, b) => b.z - a.z)
    .slice(0, 3)
    .map(({ name, runs, failed, finished }) => ({
      name,
      runs,
      failed,
      share: failed / finished,
      others: (total.failed - failed) / Math.max(1, total.finished - finished),
    }));
}

/** The groups that are new. In a history shorter than two windows every group would be: then none is called so. */
export const newGroups = (groups: readonly ErrorGroup[], complete: boolean): ErrorGroup[] =>
  complete ? groups.filter((group) => group.is_new) : [];

const MOST_GROUPS = 6;

/** A few groups: the new ones, then those that have become more frequent since the window before, then the others. */
export function telling(groups: readonly ErrorGroup[], fresh: readonly ErrorGroup[]): ErrorGroup[] {
  const more = (group: ErrorGroup): number => (fresh.includes(group) ? Infinity : group.runs - group.previous_runs);
  return [...groups].sort((a, b) => (more(a) === more(b) ? b.runs - a.runs : more(b) - more(a))).slice(0, MOST_GROUPS);
}
