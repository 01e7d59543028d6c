// Live: the window goes on with the time, unless the reader is busy further down.

import { computed, effect, signal } from '@preact/signals';
import { stored } from './stored';
import { wall } from './wall';
import { advance, moves, now, step } from './window';

/** Whether the page follows the present; a pause is remembered. */
export const live = stored('live', ['on', 'off'] as const);

/** Set by a page whose reader looks at older rows: they stay where they are. */
export const held = signal(false);

/** How many questions are read that take long: the window stands still meanwhile, or they would never come to an end. */
export const reading = signal(0);

/** The present, in steps, while it is followed. */
export const present = signal(now.peek());

/** Whether there is anything to follow: a window of the past does not move. */
export const follows = computed(() => (live.value === 'on' || wall.value) && moves.value);

export function toggleLive(): void {
  live.value = live.value === 'on' ? 'off' : 'on';
}

/** Begins to look at the clock. A hidden page asks nothing. */
export function followClock(): void {
  const look = (): void => {
    if (follows.peek() && document.visibilityState === 'visible') present.value = step();
  };
  setInterval(look, 1000);
  document.addEventListener('visibilitychange', look);
  effect(() => {
    if (follows.value) look();
  });
  effect(() => {
    if (!held.value && !reading.value && present.value > now.peek()) advance();
  });
}
