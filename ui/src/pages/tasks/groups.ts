// The fleet by tags: each tag as a row that sums up its tasks, and below it these.

import { computed } from '@preact/signals';
import { change, listOf, place, writeList } from '../../state/url';
import type { TaskRow } from './fleet';
import { sorted } from './order';
import { STATE_NAMES, type State } from './states';

/** A tag, or no tag, as a row: sums of its tasks; what cannot be summed is not known. */
export interface GroupRow extends TaskRow {
  /** The tag; empty for tasks without one. */
  group: string;
  tasks: number;
  /** How many of its tasks are in each state. */
  counts: Record<State, number>;
  folded: boolean;
}

export type Line = TaskRow | GroupRow;

export const isGroup = (line: Line): line is GroupRow => 'group' in line;

export const grouped = computed(() => place.value.query['group'] === 'tag');
export const toggleGrouped = (): void =>
  change({ group: grouped.peek() ? undefined : 'tag', folded: undefined, sel: undefined });

const NO_TAG = ' '; // in the address; no tag is that
const folded = computed<ReadonlySet<string>>(() => new Set(listOf(place.value.query['folded'])));
const keyOf = (group: string): string => group || NO_TAG;

/** Hides the tasks of a group, or shows them. */
export function toggleFolded(group: string): void {
  const made = new Set(folded.peek());
  if (!made.delete(keyOf(group))) made.add(keyOf(group));
  change({ folded: made.size ? writeList([...made].sort()) : undefined }, 'replace');
}

const sum = (rows: readonly TaskRow[], of: (row: TaskRow) => number | null): number =>
  rows.reduce((total, row) => total + (of(row) ?? 0), 0);

const most = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
};

/** The numbers of each part of the window, added up. */
const added = (lines: readonly (readonly number[])[]): number[] => {
  const length = Math.max(0, ...lines.map((line) => line.length));
  return Array.from({ length }, (_, at) => lines.reduce((total, line) => total + (line[at] ?? 0), 0));
};

export function groupRow(group: string, rows: readonly TaskRow[], isFolded: boolean): GroupRow {
  const [runs, failed, open] = [
    sum(rows, (row) => row.runs),
    sum(rows, (row) => row.failed),
    sum(rows, (row) => row.open),
  ];
  const count = (state: State): number => rows.filter(({ states }) => states.includes(state)).length;
  const counts = Object.fromEntries(STATE_NAMES.map((state) => [state, count(state)])) as Record<State, number>;
  const unknown = {
    gap: null,
    silent: null,
    p95: null,
    p95Before: null,
    slower: null,
    p50: null,
    mean: null,
    failureZ: null,
  };
  return {
    ...unknown,
    ...{ id: `group ${group}`, name: group || null, tags: [], group, tasks: rows.length, counts, folded: isFolded },
    ...{ runs, failed, open, finished: runs - open, finishedBefore: sum(rows, (row) => row.finishedBefore) },
    ...{
      streak: 0,
      flips: sum(rows, (row) => row.flips),
      success: runs > open ? (runs - open - failed) / (runs - open) : null,
    },
    most: most(rows.map((row) => row.most)),
    last: most(rows.map((row) => row.last)),
    runsBefore: sum(rows, (row) => row.runsBefore),
    failedBefore: sum(rows, (row) => row.failedBefore),
    states: STATE_NAMES.filter((state) => counts[state] > 0),
    spark: added(rows.map((row) => row.spark)),
    sparkFailed: added(rows.map((row) => row.sparkFailed)),
  };
}

/** The tasks below their tags, both in the same order; a task with several tags stands below each of them. */
export function byTag(rows: readonly TaskRow[], key: string, ascending: boolean): Line[] {
  const tags = new Map<string, TaskRow[]>();
  for (const row of rows) {
    for (const tag of row.tags.length ? row.tags : ['']) {
      const of = tags.get(tag);
      if (of) of.push(row);
      else tags.set(tag, [row]);
    }
  }
  const groups = [...tags].map(([tag, tasks]) => groupRow(tag, tasks, folded.value.has(keyOf(tag))));
  const named = sorted(
    groups.filter(({ group }) => group),
    key === 'tags' ? 'task' : key,
    ascending,
  ) as GroupRow[];
  const all = [...named, ...groups.filter(({ group }) => !group)];
  return all.flatMap((group) => [group, ...(group.folded ? [] : sorted(tags.get(group.group)!, key, ascending))]);
}
