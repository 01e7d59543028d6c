// Few runs, which the API answers one by one, as it would count them.

import type { Cells, Durations } from '../../api';
import { ranked } from '../../chart/quantile';
import { millis } from '../../text/time';

// Widths of columns in seconds as the API has them, and its rows: eight buckets of `duration_bucket` each.
const WIDTHS = [
  ...[1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400],
  ...[172_800, 604_800, 1_209_600, 2_419_200],
];
const GAMMA = 1.0198;
const FINE = 50; // microseconds: below, each has a bucket of its own

function rowOf(seconds: number): number {
  const us = Math.round(seconds * 1e6);
  return Math.floor((us < FINE ? us : FINE + Math.floor(Math.log(us / FINE) / Math.log(GAMMA))) / 8);
}

/** Where a row begins, in seconds. */
const edgeOf = (row: number): number => (8 * row < FINE ? 8 * row : FINE * GAMMA ** (8 * row - FINE)) / 1e6;

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at);

/** Few runs that an answer has one by one, in at most `most` columns, as the API would count them. */
export function celled(answer: Durations, most: number): Durations {
  const { points, start, end } = answer;
  if (!points) return answer;
  const columnAt = (ms: number, width: number): number =>
    Math.floor(ms / 1000 / width) - Math.floor(millis(start) / 1000 / width);
  const last = millis(end) - 1;
  const width = WIDTHS.find((wide) => columnAt(last, wide) < most) ?? WIDTHS.at(-1)!;
  const columns = upTo(columnAt(last, width) + 1);
  const x = points.started_at.map((us) => columnAt(us / 1000, width));
  const rows = points.seconds.map(rowOf);
  const least = Math.min(...rows);
  const cells = (success: boolean): Cells => {
    const held = upTo(rows.length).filter((at) => points.success[at] === success);
    return { x: held.map((at) => x[at]!), y: held.map((at) => rows[at]! - least), n: held.map(() => 1) };
  };
  const sorted = columns.map((column) => points.seconds.filter((_, at) => x[at] === column).sort((a, b) => a - b));
  return {
    ...answer,
    column_seconds: width,
    columns: columns.length,
    row_edges_seconds: rows.length ? upTo(Math.max(...rows) - least + 2).map((at) => edgeOf(least + at)) : [],
    success: cells(true),
    failed: cells(false),
    p50_seconds: sorted.map((column) => ranked(column, 0.5)),
    p95_seconds: sorted.map((column) => ranked(column, 0.95)),
    points: null,
  };
}
