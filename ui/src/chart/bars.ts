// Runs over time as stacked bars, one a bucket.

import type { Histogram } from '../api';
import { millis } from '../text/time';
import { colors } from './colors';
import type { Surface, TimeAxis } from './frame';

/** The counts of a histogram by outcome, column by column. */
export interface Buckets {
  /** Borders in milliseconds: one more than there are buckets. */
  edges: number[];
  success: number[];
  failed: number[];
  open: number[];
  /** The greatest sum of a bucket, at least 1. */
  greatest: number;
}

export function bucketsOf(histogram: Histogram): Buckets {
  const edges = histogram.edges.map(millis);
  const of = (key: string): number[] =>
    histogram.series.find((series) => series.key === key)?.runs ?? new Array<number>(edges.length - 1).fill(0);
  const [success, failed, open] = [of('success'), of('failed'), of('open')];
  const greatest = success.reduce((most, n, at) => Math.max(most, n + failed[at]! + open[at]!), 1);
  return { edges, success, failed, open, greatest };
}

const LEAST = 2; // CSS pixels of a failure, so that none is hidden

/** What is drawn beside the bars. */
interface Beside {
  /** Sums of another period, as a line. */
  ghost: readonly number[] | null;
  /** Buckets at which a ▲ stands. */
  bursts: readonly number[];
}

/** Draws the bars, failures at the bottom and last. */
export function paintBars(
  surface: Surface,
  axis: TimeAxis,
  buckets: Buckets,
  { ghost, bursts }: Beside = { ghost: null, bursts: [] },
): void {
  const { context, width, height, ratio } = surface;
  const greatest = Math.max(buckets.greatest, ...(ghost ?? []));
  const x = (ms: number): number => ((ms - axis.start) / (axis.end - axis.start)) * width;
  const tall = (n: number): number => (n / greatest) * (height - ratio);
  const { edges, success, failed, open } = buckets;
  const color = colors();
  const bar = (at: number, from: number, n: number, least = 0): number => {
    if (!n) return from;
    const [left, right] = [Math.max(0, x(edges[at]!)), Math.min(width, x(edges[at + 1]!))];
    const gap = right - left > 4 * ratio ? ratio : 0;
    const size = Math.max(tall(n), least);
    context.fillRect(left, height - from - size, right - left - gap, size);
    return from + size;
  };
  context.fillStyle = color['success-fill'];
  for (let at = 0; at < success.length; at++) bar(at, tall(failed[at]!), success[at]!);
  context.fillStyle = color['open-fill'];
  for (let at = 0; at < open.length; at++) bar(at, tall(failed[at]! + success[at]!), open[at]!, LEAST * ratio);
  context.fillStyle = color.failed;
  for (let at = 0; at < failed.length; at++) bar(at, 0, failed[at]!, LEAST * ratio);
  if (ghost) paintGhost(surface, edges.map(x), ghost.map(tall), color.dim);
  for (const at of bursts) paintTriangle(surface, (x(edges[at]!) + x(edges[at + 1]!)) / 2, color.failed, color.bg);
}

const TRIANGLE = 9; // CSS pixels wide and tall

/** A ▲ at the top, with a border that sets it off from a bar. */
function paintTriangle({ context, width, ratio }: Surface, x: number, color: string, border: string): void {
  const half = (TRIANGLE / 2) * ratio;
  const middle = Math.min(width - half, Math.max(half, x));
  context.beginPath();
  context.moveTo(middle, ratio);
  context.lineTo(middle + half, (TRIANGLE + 1) * ratio);
  context.lineTo(middle - half, (TRIANGLE + 1) * ratio);
  context.closePath();
  context.strokeStyle = border;
  context.lineWidth = 2 * ratio;
  context.stroke();
  context.fillStyle = color;
  context.fill();
}

/** A line in steps. */
function paintGhost(
  { context, width, height, ratio }: Surface,
  edges: number[],
  heights: number[],
  color: string,
): void {
  context.strokeStyle = color;
  context.globalAlpha = 0.6;
  context.lineWidth = ratio;
  context.beginPath();
  for (let at = 0; at < heights.length && at + 1 < edges.length; at++) {
    const y = height - heights[at]!;
    context.lineTo(Math.max(0, edges[at]!), y);
    context.lineTo(Math.min(width, edges[at + 1]!), y);
  }
  context.stroke();
  context.globalAlpha = 1;
}
