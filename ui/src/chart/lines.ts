// Lines over time, as of percentiles; and a distribution of durations along the edge of a density.

import { colors } from './colors';
import { type DurationAxis, heightOf, STRIP } from './density';
import type { Surface, TimeAxis } from './frame';

/** Draws values at the middle of their columns; null is a gap. `rise` gives the height of a value from the bottom. */
export function paintLine(
  { context, width, height, ratio }: Surface,
  axis: TimeAxis,
  borders: readonly number[],
  values: readonly (number | null)[],
  rise: (value: number) => number,
  color: string,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  let pen = false;
  for (const [at, value] of values.entries()) {
    if (value === null) {
      pen = false;
      continue;
    }
    const middle = (borders[at]! + borders[at + 1]!) / 2;
    const x = ((middle - axis.start) / (axis.end - axis.start)) * width;
    const y = height - rise(value);
    if (pen) context.lineTo(x, y);
    else context.moveTo(x, y);
    pen = true;
  }
  context.stroke();
}

export interface Distribution {
  /** Borders of the rows in seconds: one more than there are rows. */
  edges: readonly number[];
  success: readonly number[];
  failed: readonly number[];
}

/** Draws bars from the left, one a row of durations; failures first. */
export function paintDistribution(
  surface: Surface,
  axis: DurationAxis,
  { edges, success, failed }: Distribution,
): void {
  const { context, width, height, ratio } = surface;
  const color = colors();
  const greatest = success.reduce((most, n, at) => Math.max(most, n + failed[at]!), 1);
  for (let row = 0; row + 1 < edges.length; row++) {
    const bottom = edges[row] === 0 ? 0 : heightOf(edges[row]!, axis, height, STRIP * ratio);
    const top = edges[row] === 0 ? (STRIP - 2) * ratio : heightOf(edges[row + 1]!, axis, height, STRIP * ratio);
    const bad = (failed[row]! / greatest) * width;
    const good = (success[row]! / greatest) * width;
    const tall = Math.max(ratio, top - bottom - ratio / 2);
    context.fillStyle = color.failed;
    context.fillRect(0, height - bottom - tall, bad, tall);
    context.fillStyle = color['success-fill'];
    context.fillRect(bad, height - bottom - tall, good, tall);
  }
}
