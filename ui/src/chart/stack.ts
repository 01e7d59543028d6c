// Runs over time as stacked bars of several series: the greatest one at the bottom, all others as one on top.

import type { Histogram } from '../api';
import { millis } from '../text/time';
import { type Colors, colors } from './colors';
import type { Surface, TimeAxis } from './frame';

/** The letters of the series that have a colour of their own. */
export const LETTERS = ['A', 'B', 'C', 'D', 'E', 'F'] as const;

export interface Stack {
  /** Borders in milliseconds: one more than there are buckets. */
  edges: number[];
  /** The greatest series, at most as many as there are letters. */
  series: { key: string; runs: readonly number[] }[];
  /** All other runs of each bucket. */
  rest: number[];
  totals: number[];
  /** The greatest sum of a bucket, at least 1. */
  greatest: number;
}

/** The series of a histogram, which come with the greatest first. */
export function stackOf(histogram: Histogram): Stack {
  const edges = histogram.edges.map(millis);
  const zeros = (): number[] => new Array<number>(edges.length - 1).fill(0);
  const add = (sums: number[], { runs }: { runs: readonly number[] }): number[] => sums.map((n, at) => n + runs[at]!);
  const named = histogram.series.flatMap(({ key, runs }) => (key === null ? [] : [{ key, runs }]));
  const series = named.slice(0, LETTERS.length).filter(({ runs }) => runs.some((n) => n > 0));
  const others = histogram.series.filter(({ key }) => !series.some((one) => one.key === key));
  const rest = others.reduce(add, zeros());
  const totals = series.reduce(add, rest);
  return { edges, series, rest, totals, greatest: Math.max(1, ...totals) };
}

export const colorName = (at: number): keyof Colors => `series-${at + 1}` as keyof Colors;

/** Draws the stack; while a series is marked, the others are pale. */
export function paintStack(
  { context, width, height, ratio }: Surface,
  axis: TimeAxis,
  { edges, series, rest, totals, greatest }: Stack,
  marked: string | null,
): void {
  const x = (ms: number): number => ((ms - axis.start) / (axis.end - axis.start)) * width;
  const color = colors();
  const known = series.some(({ key }) => key === marked);
  const layers = [
    ...series.map(({ key, runs }, at) => ({ runs, fill: color[colorName(at)], pale: known && key !== marked })),
    { runs: rest, fill: color['series-rest'], pale: known },
  ];
  for (let at = 0; at < totals.length; at++) {
    const [left, right] = [Math.max(0, x(edges[at]!)), Math.min(width, x(edges[at + 1]!))];
    const gap = right - left > 4 * ratio ? ratio : 0;
    let below = 0;
    for (const { runs, fill, pale } of layers) {
      const tall = (runs[at]! / greatest) * (height - ratio);
      context.fillStyle = fill;
      context.globalAlpha = pale ? 0.25 : 1;
      context.fillRect(left, height - below - tall, right - left - gap, tall);
      below += tall;
    }
  }
  context.globalAlpha = 1;
}
