// All runs by time and duration. Each cell is one pixel of a small image that is scaled up.

import type { Cells, Durations } from '../api';
import { millis } from '../text/time';
import { colors, rgb } from './colors';
import type { Surface, TimeAxis } from './frame';

/** Cells of a density as dense arrays; cell (x, y) is at x * rows + y. */
export interface Density {
  /** Where column 0 begins, in milliseconds. */
  begin: number;
  /** The width of a column in milliseconds. */
  width: number;
  columns: number;
  /** Borders of the rows in seconds: one more than there are rows. */
  edges: number[];
  success: Float64Array;
  failed: Float64Array;
  /** The most runs of a cell, at least 1. */
  greatest: number;
  /** Least and greatest border of rows that hold runs, in seconds, without the row of 0 s. */
  least: number;
  most: number;
}

export function densityOf(answer: Durations): Density {
  const width = answer.column_seconds * 1000;
  const edges = answer.row_edges_seconds;
  const rows = Math.max(0, edges.length - 1);
  const dense = ({ x, y, n }: Cells): Float64Array => {
    const made = new Float64Array(answer.columns * rows);
    for (let at = 0; at < n.length; at++) made[x[at]! * rows + y[at]!]! += n[at]!;
    return made;
  };
  const [success, failed] = [dense(answer.success), dense(answer.failed)];
  const greatest = success.reduce((most, n, at) => Math.max(most, n + failed[at]!), 1);
  const begin = Math.floor(millis(answer.start) / width) * width;
  const held = new Set([...answer.success.y, ...answer.failed.y].filter((y) => edges[y]! > 0));
  const least = held.size ? edges[Math.min(...held)]! : 1;
  const most = held.size ? edges[Math.max(...held) + 1]! : 10;
  return { begin, width, columns: answer.columns, edges, success, failed, greatest, least, most };
}

/** Least and greatest duration of an axis of logarithms; the row of 0 s has a strip of its own below it. */
export interface DurationAxis {
  low: number;
  high: number;
}

export const STRIP = 10; // CSS pixels for runs that took no time

/** The axis for durations between two, with room at both ends. */
export const durationAxis = (least: number, greatest: number): DurationAxis => ({
  low: Math.max(least, 1e-6) / 1.2,
  high: Math.max(greatest, least * 10, 1e-5) * 1.2,
});

/** The height of a duration above the bottom, from 0 to `height`; all in the same pixels as `strip`. */
export function heightOf(seconds: number, axis: DurationAxis, height: number, strip: number): number {
  if (seconds < axis.low) return strip / 2;
  return strip + (Math.log(seconds / axis.low) / Math.log(axis.high / axis.low)) * (height - strip);
}

/** The duration at a height above the bottom; 0 within the strip. */
export function durationAt(y: number, axis: DurationAxis, height: number, strip: number): number {
  if (y < strip) return 0;
  return axis.low * (axis.high / axis.low) ** ((y - strip) / (height - strip));
}

/** Draws the cells: the more runs the denser, the more failures the redder; one failure among many is seen. */
export function paintDensity(surface: Surface, axis: TimeAxis, rows: DurationAxis, density: Density): void {
  const { context, width, height, ratio } = surface;
  const { columns, edges } = density;
  if (edges.length < 2) return;
  const image = imageOf(density);
  const x = (ms: number): number => ((ms - axis.start) / (axis.end - axis.start)) * width;
  const left = x(density.begin);
  const right = x(density.begin + columns * density.width);
  context.imageSmoothingEnabled = false;
  const strip = STRIP * ratio;
  const count = edges.length - 1;
  // Rows are not of equal height below 50 µs, so each is a strip of the image.
  for (let y = 0; y < count; y++) {
    const [low, high] = [edges[y]!, edges[y + 1]!];
    const bottom = low === 0 ? 0 : Math.round(heightOf(low, rows, height, strip));
    const top = low === 0 ? strip - 2 * ratio : Math.round(heightOf(high, rows, height, strip));
    if (low > 0 && low < rows.low) continue;
    context.drawImage(image, 0, count - 1 - y, columns, 1, left, height - top, right - left, Math.max(1, top - bottom));
  }
}

/** The cells as an image of one pixel a cell, the longest durations on top. */
function imageOf({ columns, edges, success, failed, greatest }: Density): HTMLCanvasElement {
  const rows = edges.length - 1;
  const image = document.createElement('canvas');
  image.width = columns;
  image.height = rows;
  const context = image.getContext('2d')!;
  const pixels = context.createImageData(columns, rows);
  const [good, bad] = [rgb(colors().success), rgb(colors().failed)];
  const scale = 1 / Math.log1p(greatest);
  // Among runs that succeeded, a failure stands out; where all failed, only their number tells them apart.
  const least = success.some((n) => n > 0) ? 0.85 : 0;
  for (let x = 0; x < columns; x++) {
    for (let y = 0; y < rows; y++) {
      const at = x * rows + y;
      const sum = success[at]! + failed[at]!;
      if (!sum) continue;
      const mix = Math.min(1, 1.6 * (failed[at]! / sum) ** 1.2);
      const dense = Math.max(0.12 + 0.88 * Math.log1p(sum) * scale, least * mix);
      const to = ((rows - 1 - y) * columns + x) * 4;
      for (let c = 0; c < 3; c++) pixels.data[to + c] = good[c]! * (1 - mix) + bad[c]! * mix;
      pixels.data[to + 3] = 255 * Math.min(1, dense);
    }
  }
  context.putImageData(pixels, 0, 0);
  return image;
}

/** Counts by duration over all columns: one number a row. */
export function byDuration(density: Density): { success: number[]; failed: number[] } {
  const rows = Math.max(0, density.edges.length - 1);
  const sums = (cells: Float64Array): number[] =>
    Array.from({ length: rows }, (_, y) => {
      let sum = 0;
      for (let at = y; at < cells.length; at += rows) sum += cells[at]!;
      return sum;
    });
  return { success: sums(density.success), failed: sums(density.failed) };
}
