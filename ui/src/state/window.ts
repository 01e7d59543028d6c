// The window of the screen: the range of the address, and the time at which it is read.

import { computed, signal } from '@preact/signals';
import type { Filter } from '../api';
import { iso, millis } from '../text/time';
import { DEFAULT_RANGE, doubled, parseRange, type Range, rangeQuery, resolve, shifted, type Window } from './range';
import { change, place } from './url';
import { zone } from './zone';

/** The API's "now" goes in such steps, so that equal questions are equal. */
export const STEP = 10_000;
export const step = (): number => Math.floor(Date.now() / STEP) * STEP;

/** The time that relative ranges end at. It stands still until the page is loaded again, or live. */
export const now = signal(step());

export const range = computed<Range>(() => {
  const { start_time, end_time, range: text } = place.value.query;
  const [start, end] = [millis(start_time ?? ''), millis(end_time ?? '')];
  if (start < end) return { kind: 'between', start, end };
  return parseRange(text ?? DEFAULT_RANGE, zone.value) ?? parseRange(DEFAULT_RANGE, zone.value)!;
});

/** Whether the window moves on with the time. */
export const moves = computed(
  () => range.value.kind !== 'between' && !(range.value.kind === 'day' && range.value.back),
);

export const screenWindow = computed<Window>(() => resolve(range.value, now.value, zone.value));

/** The window as parameters of the API. */
export const asParameters = (window: Window): Pick<Filter, 'start_time' | 'end_time'> => ({
  start_time: iso(window.start),
  end_time: iso(window.end),
});

/** The window of equal length before. */
export const before = (window: Window): Window => ({ start: 2 * window.start - window.end, end: window.start });

/** Shows a range: the selection within the window is gone with it. */
export const show = (wanted: Range): void => change({ ...rangeQuery(wanted), brush: undefined });

export const shift = (by: -1 | 1): void => show(shifted(screenWindow.peek(), by, step()));
export const zoomOut = (): void => show(doubled(range.peek(), screenWindow.peek(), step()));

/** Goes on to a time. */
export function advance(to: number): void {
  now.value = to;
}
