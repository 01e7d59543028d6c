// The orders of the fleet. Each is total: tasks that are equal stand in the order of their ids.

import type { TaskRow } from './fleet';
import { growth, STATE_NAMES } from './states';

/** How much attention a task needs: failing before slower before silent, and then the others. */
function urgency({ states }: TaskRow): number {
  const first = states.find((state) => state !== 'flaky');
  return first ? STATE_NAMES.length - STATE_NAMES.indexOf(first) : 0;
}

type Value = number | string | null;

/** What each column is sorted by. */
export const SORTS: Readonly<Record<string, (row: TaskRow) => Value>> = {
  attention: urgency,
  task: ({ name, id }) => name ?? id.slice(0, 8),
  runs: ({ runs }) => runs,
  failed: ({ failed }) => failed,
  success: ({ success }) => success,
  p50: ({ p50 }) => p50,
  p95: ({ p95 }) => p95,
  before: growth,
  last: ({ last }) => last,
  mean: ({ mean }) => mean,
  most: ({ most }) => most,
  open: ({ open }) => open,
  tags: ({ tags }) => tags.join(' ') || null,
};

/** Texts begin with the first one, numbers with the greatest, unless it is asked for the other way. */
export const isText = (key: string): boolean => key === 'task' || key === 'tags';

const compared = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The rows in an order; what is not known stands last, either way. */
export function sorted(rows: readonly TaskRow[], key: string, ascending: boolean): TaskRow[] {
  const wanted = SORTS[key] ?? urgency;
  const sign = ascending ? 1 : -1;
  const values = new Map(rows.map((row) => [row, wanted(row)]));
  return [...rows].sort((one, other) => {
    const [a, b] = [values.get(one)!, values.get(other)!];
    if (a !== b && (a === null || b === null)) return a === null ? 1 : -1;
    const first = a === null || b === null ? 0 : sign * compared(a, b);
    const second = key === 'attention' ? other.failed - one.failed : 0;
    return first || second || compared(one.id, other.id);
  });
}
