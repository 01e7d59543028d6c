// All tasks side by side: counts first, percentiles as a second answer, both in pages of the API's greatest size.

import { computed, type ReadonlySignal } from '@preact/signals';
import type { TaskColumns, Tasks, TasksQuery, Uuid } from '../../api';
import { namedTasks } from '../../net/names';
import type { Panel, Screen } from '../../net/screen';
import { asParameters, screenWindow } from '../../state/window';
import { millis } from '../../text/time';
import { type Signs, type State, statesOf } from './states';

/** A task of the fleet. */
export interface TaskRow extends Signs {
  id: Uuid;
  name: string | null;
  tags: readonly string[];
  runs: number;
  failed: number;
  open: number;
  success: number | null;
  mean: number | null;
  most: number | null;
  p50: number | null;
  /** Milliseconds since 1970 of its last run in the window. */
  last: number | null;
  runsBefore: number | null;
  failedBefore: number | null;
  failureZ: number | null;
  states: State[];
  spark: readonly number[];
  sparkFailed: readonly number[];
}

const PAGE = 5000; // tasks of an answer, at most
const PAGES = 10; // that are asked for

type Measure = NonNullable<TasksQuery['measures']>[number];
const COUNTS: Measure[] = [
  ...(['runs', 'failed', 'open', 'success_rate', 'avg_seconds', 'max_seconds', 'last_run', 'streak', 'flips'] as const),
  ...(['silent_seconds', 'longest_gap_seconds', 'previous_runs', 'previous_failed', 'failure_z'] as const),
];
const DURATIONS: TimedKey[] = ['p50_seconds', 'p95_seconds', 'previous_p95_seconds', 'slower'];

export interface Fleet {
  counts: readonly Panel<Tasks>[];
  durations: readonly Panel<Tasks>[];
  /** All tasks in the order of their ids; null before the first answer. */
  rows: ReadonlySignal<readonly TaskRow[] | null>;
  /** Whether all is the answer to the question of now. */
  current: ReadonlySignal<boolean>;
}

/** Begins the questions of the fleet; `only` is what the names, tags or ids of the tasks contain; null asks nothing. */
export function fleetOf(screen: Screen, spark: number, only: () => string | null | undefined = () => undefined): Fleet {
  const ask = (measures: Measure[], parts: number): Panel<Tasks>[] => {
    const panels: Panel<Tasks>[] = [];
    for (let at = 0; at < PAGES; at++) {
      const query = () => {
        const q = only();
        if (q === null) return null;
        if (at && at * PAGE >= (panels[0]!.answer.value?.body.total_tasks ?? 0)) return null;
        const page = at ? { offset: at * PAGE } : {};
        const order = { sort: 'task_id', order: 'asc' } as const;
        return { ...asParameters(screenWindow.value), measures, spark: parts, ...order, ...page, q };
      };
      panels.push(screen.ask('/stats/tasks', query));
    }
    return panels;
  };
  const together = spark === 0; // without pictures, all is one small answer
  const counts = ask(together ? [...COUNTS, ...DURATIONS] : COUNTS, spark);
  const durations = together ? counts : ask(DURATIONS, 0);
  const tags = computed(() => new Map(namedTasks.value.map((named) => [named.id, named.tags])));
  const rows = computed(() => {
    const answers = (panels: Panel<Tasks>[]): Tasks[] => panels.flatMap((panel) => panel.answer.value?.body ?? []);
    const found = answers(counts);
    if (!found.length) return null;
    const timed = placesOf(answers(durations));
    return found.flatMap((answer) => rowsOf(answer, timed, tags.value));
  });
  return {
    counts,
    durations,
    rows,
    current: computed(() => [...counts, ...durations].every((panel) => panel.current.value)),
  };
}

type Place = [TaskColumns, number];
type TimedKey = 'p50_seconds' | 'p95_seconds' | 'previous_p95_seconds' | 'slower';

/** Where each task stands in some answers. */
const placesOf = (answers: Tasks[]): Map<Uuid, Place> =>
  new Map(answers.flatMap(({ columns }) => columns.task_id.map((id, at): [Uuid, Place] => [id, [columns, at]])));

function rowsOf(answer: Tasks, timed: Map<Uuid, Place>, tags: Map<Uuid, readonly string[]>): TaskRow[] {
  const of = answer.columns as Required<TaskColumns>;
  return of.task_id.map((id, at) => {
    const [timedColumns, place] = timed.get(id) ?? [null, 0];
    const timedAt = (key: TimedKey): number | null => timedColumns?.[key]?.[place] ?? null;
    const [open, last] = [of.open[at]!, of.last_run[at] ?? null];
    const signs = {
      finished: of.runs[at]! - open,
      finishedBefore: of.previous_runs![at] ?? 0,
      streak: of.streak[at]!,
      flips: of.flips[at]!,
      silent: of.silent_seconds[at] ?? null,
      gap: of.longest_gap_seconds[at] ?? null,
      p95: timedAt('p95_seconds'),
      p95Before: timedAt('previous_p95_seconds'),
      slower: timedAt('slower'),
    };
    return {
      ...signs,
      id,
      name: of.name[at] ?? null,
      tags: tags.get(id) ?? [],
      runs: of.runs[at]!,
      failed: of.failed[at]!,
      open,
      success: of.success_rate[at] ?? null,
      mean: of.avg_seconds[at] ?? null,
      most: of.max_seconds[at] ?? null,
      p50: timedAt('p50_seconds'),
      last: last === null ? null : millis(last),
      runsBefore: of.previous_runs[at] ?? null,
      failedBefore: of.previous_failed[at] ?? null,
      failureZ: of.failure_z[at] ?? null,
      states: statesOf(signs),
      spark: answer.spark?.runs[at] ?? [],
      sparkFailed: answer.spark?.failed[at] ?? [],
    };
  });
}
