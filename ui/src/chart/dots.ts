// Few runs by time and duration: a dot each; and lines over time.

import type { Points } from '../api';
import { colors } from './colors';
import { type DurationAxis, heightOf, STRIP } from './density';
import type { Surface, TimeAxis } from './frame';

const RADIUS = 2.5; // CSS pixels

/** Draws the dots, failures last. */
export function paintDots(surface: Surface, axis: TimeAxis, rows: DurationAxis, points: Points): void {
  const { context, ratio } = surface;
  const color = colors();
  for (const success of [true, false]) {
    context.fillStyle = success ? color.success : color.failed;
    context.globalAlpha = success ? 0.7 : 1;
    for (let at = 0; at < points.id.length; at++) {
      if (points.success[at] !== success) continue;
      const [x, y] = spot(points, at, axis, rows, surface.width, surface.height, ratio);
      context.beginPath();
      context.arc(x, y, RADIUS * ratio, 0, 2 * Math.PI);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

function spot(
  points: Points,
  at: number,
  axis: TimeAxis,
  rows: DurationAxis,
  width: number,
  height: number,
  ratio: number,
): [number, number] {
  const x = ((points.started_at[at]! / 1000 - axis.start) / (axis.end - axis.start)) * width;
  return [x, height - heightOf(points.seconds[at]!, rows, height, STRIP * ratio)];
}

/** The place in `points` of the dot within 8 CSS pixels of a spot; null where there is none. */
export function dotAt(
  points: Points,
  x: number,
  y: number,
  axis: TimeAxis,
  rows: DurationAxis,
  width: number,
  height: number,
): number | null {
  let [best, nearest] = [null as number | null, 8];
  for (let at = 0; at < points.id.length; at++) {
    const [dotX, dotY] = spot(points, at, axis, rows, width, height, 1);
    const distance = Math.hypot(dotX - x, dotY - y);
    if (distance < nearest) [best, nearest] = [at, distance];
  }
  return best;
}

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
