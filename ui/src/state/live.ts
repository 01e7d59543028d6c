// Live: the window goes on with what happens, unless the reader is busy further down. `net/tail` says when.

import { computed, signal } from '@preact/signals';
import { stored } from './stored';
import { wall } from './wall';
import { advance, moves, now, step } from './window';

/** Whether the page follows the present; a pause is remembered. */
export const live = stored('live', ['on', 'off'] as const);

/** Set by a page whose reader looks at older rows: they stay where they are. */
export const held = signal(false);

/** How many questions are under way: the window stands still meanwhile, or those that take long would never come to an
 *  end. */
export const asking = signal(0);

/** The present, as far as it was followed. */
export const present = signal(now.peek());

/** Whether there is anything to follow: a window of the past does not move. */
export const follows = computed(() => (live.value === 'on' || wall.value) && moves.value);

/** Goes on to the present. */
export function toPresent(): void {
  present.value = Math.max(present.peek(), step());
  advance(present.peek());
}

export function toggleLive(): void {
  live.value = live.value === 'on' ? 'off' : 'on';
}
