// Workers as rows: from the columns of the API, searched and sorted here.

import type { Owners } from '../../api';
import type { Sorting } from '../../table/table';
import { millis } from '../../text/time';

export interface WorkerRow {
  owner: string;
  runs: number;
  failed: number;
  /** Share of its finished runs that failed; null without finished runs. */
  rate: number | null;
  /** How far this share is from that of all others, in standard errors; null where it cannot be said. */
  z: number | null;
  /** Mean duration in seconds, and by how much it is that of the window before. */
  mean: number | null;
  before: number | null;
  /** Whether both windows have enough runs for that to mean something. */
  comparable: boolean;
  open: number;
  lost: number;
  /** Its latest run time in milliseconds since 1970. */
  seen: number;
  spark: { runs: number[]; failed: number[] } | null;
}

export const ENOUGH = 30; // runs, as for `failure_z` of the API

export function rowsOf({ columns, spark }: Owners): WorkerRow[] {
  return columns.owner.map((owner, at) => {
    const [runs, failed, open] = [columns.runs[at]!, columns.failed[at]!, columns.open[at]!];
    const [mean, before] = [columns.avg_seconds[at]!, columns.previous_avg_seconds[at]!];
    return {
      owner,
      runs,
      failed,
      rate: runs > open ? failed / (runs - open) : null,
      z: columns.failure_z[at]!,
      mean,
      before: mean !== null && before ? mean / before : null,
      comparable: runs >= ENOUGH && (columns.previous_runs[at] ?? 0) >= ENOUGH,
      open,
      lost: columns.lost[at]!,
      seen: millis(columns.last_seen[at]!),
      spark: spark && { runs: spark.runs[at]!, failed: spark.failed[at]! },
    };
  });
}

/** What the table can be sorted by. */
export const SORTS = {
  z: 'fails more than others',
  owner: 'name',
  rate: 'failure rate',
  failed: 'most failed',
  runs: 'most runs',
  mean: 'slowest',
  before: 'slower than before',
  open: 'most open',
  lost: 'most lost',
  seen: 'latest',
} as const;
export type SortKey = keyof typeof SORTS;
const DEFAULT = '-z';

/** The sorting that the address says: a key, with `-` before it from the greatest down. */
export function sortingOf(text: string = DEFAULT): Sorting & { key: SortKey } {
  const key = text.replace(/^-/, '');
  return key in SORTS ? { key: key as SortKey, ascending: !text.startsWith('-') } : sortingOf(DEFAULT);
}

/** What the address says after a click on a head: names begin with the first, numbers with the greatest. */
export function sortText(key: SortKey, before: Sorting): string | undefined {
  const ascending = before.key === key ? !before.ascending : key === 'owner';
  const text = ascending ? key : `-${key}`;
  return text === DEFAULT ? undefined : text;
}

export const found = (rows: readonly WorkerRow[], words: string): readonly WorkerRow[] =>
  words ? rows.filter(({ owner }) => owner.toLowerCase().includes(words.toLowerCase())) : rows;

/** Rows in order; what has no value comes last, and equal ones follow their names, so that the order is total. */
export function sorted(rows: readonly WorkerRow[], { key, ascending }: Sorting & { key: SortKey }): WorkerRow[] {
  const sign = ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [one, other] = [a[key], b[key]];
    if (one !== other) {
      if (one === null) return 1;
      if (other === null) return -1;
      return one < other ? -sign : sign;
    }
    return a.owner < b.owner ? -1 : 1;
  });
}

export const CLEAR = 3; // standard errors: among a thousand workers alike, about three are beyond these
const FAR = 6;

/** A distance in words. */
export function standingOf(z: number | null): string {
  if (z === null) return '–';
  if (Math.abs(z) < CLEAR) return 'as the others';
  return z < 0 ? 'fails less' : z < FAR ? 'fails more' : 'fails far more';
}
