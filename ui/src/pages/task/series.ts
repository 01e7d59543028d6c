// Figures over time from a density: percentiles, the longest run, and the succeeded share of each column.

import type { Durations } from '../../api';
import { byDuration, type Density, densityOf } from '../../chart/density';
import { upTo } from './celled';

export interface Series {
  /** Borders of the columns in milliseconds: one more than there are columns. */
  borders: number[];
  p50: (number | null)[];
  p95: (number | null)[];
  /** The upper border of the row of the longest run: rows are 17 % wide. */
  most: (number | null)[];
  success: (number | null)[];
  runs: number[];
}

export function seriesOf(answer: Durations): Series {
  const density = densityOf(answer);
  const columns = upTo(density.columns);
  const counts = columns.map((at) => countsOf(density, at));
  return {
    borders: upTo(density.columns + 1).map((at) => density.begin + at * density.width),
    p50: answer.p50_seconds,
    p95: answer.p95_seconds,
    most: columns.map((at) => longest(density, at)),
    success: counts.map(({ success, failed }) => (success + failed ? success / (success + failed) : null)),
    runs: counts.map(({ success, failed }) => success + failed),
  };
}

function countsOf({ edges, success, failed }: Density, column: number): { success: number; failed: number } {
  const rows = edges.length - 1;
  const sum = (cells: Float64Array): number =>
    cells.subarray(column * rows, (column + 1) * rows).reduce((total, n) => total + n, 0);
  return { success: sum(success), failed: sum(failed) };
}

function longest({ edges, success, failed }: Density, column: number): number | null {
  const rows = edges.length - 1;
  for (let row = rows - 1; row >= 0; row--) {
    const cell = column * rows + row;
    if (success[cell]! + failed[cell]!) return edges[row + 1]!;
  }
  return null;
}

export interface Bar {
  /** Borders in seconds. */
  low: number;
  high: number;
  success: number;
  failed: number;
  /** The share of the runs before. */
  before: number;
}

/** How the durations are distributed, now and before, in the rows that hold any run. */
export function distribution(now: Durations, then: Durations | null): Bar[] {
  const bars = new Map<string, Bar>();
  const add = (answer: Durations, take: (bar: Bar, success: number, failed: number) => void): void => {
    const { success, failed } = byDuration(densityOf(answer));
    const edges = answer.row_edges_seconds;
    for (const [row, n] of success.entries()) {
      const [low, high] = [edges[row]!, edges[row + 1]!];
      const name = low.toPrecision(6);
      const bar = bars.get(name) ?? { low, high, success: 0, failed: 0, before: 0 };
      bars.set(name, bar);
      take(bar, n, failed[row]!);
    }
  };
  add(now, (bar, success, failed) => {
    bar.success = success / Math.max(1, now.timed);
    bar.failed = failed / Math.max(1, now.timed);
  });
  if (then) {
    add(then, (bar, success, failed) => {
      bar.before = (success + failed) / Math.max(1, then.timed);
    });
  }
  const rows = [...bars.values()].sort((a, b) => a.low - b.low);
  const held = (bar: Bar): boolean => bar.success + bar.failed + bar.before > 0;
  return rows.slice(rows.findIndex(held), rows.findLastIndex(held) + 1);
}
