// Which columns a list of runs has: they are in the address, unless they are the usual ones.

import { computed } from '@preact/signals';
import { change, listOf, place, writeList } from '../../state/url';
import { stepsOf } from '../../text/json_path';

/** All columns by their keys, in the order in which they stand. */
export const COLUMN_NAMES = {
  result: 'Outcome',
  task: 'Task',
  started: 'Started',
  duration: 'Duration',
  worker: 'Worker',
  attempt: 'Try',
  created: 'Created',
  waited: 'Waited',
  finished: 'Finished',
  lease: 'Lease until',
  id: 'Id',
  error: 'Error',
} as const;
export type ColumnKey = keyof typeof COLUMN_NAMES;
export const COLUMN_KEYS = Object.keys(COLUMN_NAMES) as ColumnKey[];

const USUAL: readonly string[] = ['result', 'task', 'started', 'duration', 'worker', 'attempt', 'error'];
const OF_OUTPUT = 'output.';
export const MOST_COLUMNS = 12;

/** The path of a column of outputs; null for other columns. */
export const pathOf = (key: string): string | null =>
  key.startsWith(OF_OUTPUT) && stepsOf(key.slice(OF_OUTPUT.length)) ? key.slice(OF_OUTPUT.length) : null;
/** The column of a path of outputs. */
export const columnOf = (path: string): string => OF_OUTPUT + path;

const isColumn = (key: string): boolean => key in COLUMN_NAMES || pathOf(key) !== null;

export const chosenColumns = computed<readonly string[]>(() => {
  const asked = [...new Set(listOf(place.value.query['columns']))].filter(isColumn).slice(0, MOST_COLUMNS);
  return asked.length ? asked : USUAL;
});

export const isUsual = computed(() => String(chosenColumns.value) === String(USUAL));

/** Whether a column reads outputs. */
export const readsOutputs = computed(() => chosenColumns.value.some((key) => pathOf(key) !== null));

/** The fields of a run that each column needs, beside those of all lists. */
const NEEDS: Readonly<Record<string, string>> = {
  worker: 'lease_owner',
  error: 'error',
  attempt: 'attempt',
  created: 'created_at',
  waited: 'created_at',
};

/** What a list asks for of a run; outputs only where they are shown. */
export const fields = computed(() => {
  const needed = chosenColumns.value.map((key) => (pathOf(key) === null ? NEEDS[key] : 'output'));
  const all = ['id', 'task_id', 'leased_until', 'started_at', 'finished_at', 'success', ...needed];
  return [...new Set(all)].filter(Boolean).join(',');
});

/** The parameter of the address for columns; the usual ones need none. */
export const columnsQuery = (columns: readonly string[]): string | undefined =>
  String(columns) === String(USUAL) ? undefined : writeList(columns);

/** The columns with one more, or without it; there is always one. */
export function toggled(key: string): readonly string[] {
  const now = chosenColumns.peek();
  const made = now.includes(key) ? now.filter((other) => other !== key) : [...now, key];
  const known = COLUMN_KEYS.filter((other) => other !== 'error' && made.includes(other));
  const paths = made.filter((other) => pathOf(other) !== null);
  return made.length ? [...known, ...paths, ...(made.includes('error') ? ['error'] : [])] : now;
}

export const toggleColumn = (key: string): void => change({ columns: columnsQuery(toggled(key)) }, 'replace');

export const usualColumns = (): void => change({ columns: undefined }, 'replace');
