// The way to the service: while it is gone, or starting, all questions wait together, and one look after another is
// taken whether it is there again.

import { batch, signal } from '@preact/signals';
import { askAddress, Problem, Unreachable } from './ask';

/** What all questions wait for; null while the service answers. */
export interface Outage {
  since: number;
  /** What the service says of itself while it starts; null when nothing answers. */
  starting: string | null;
  /** When the next look is taken, in milliseconds since 1970. */
  lookAt: number;
}

export const outage = signal<Outage | null>(null);

const FIRST_PAUSE = 500; // milliseconds; each time twice as long
const LONGEST_PAUSE = 8000;
const waiting = new Set<() => void>();
let pause = FIRST_PAUSE;
let timer = 0;

const isStarting = (error: unknown): error is Problem =>
  error instanceof Problem && error.type === 'urn:runlake:not-ready';

const OF_A_PROXY = new Set([502, 504]); // that finds no service behind it

/** Whether an error says that no question can be answered now. */
export const isOutage = (error: unknown): error is Problem | Unreachable =>
  error instanceof Unreachable || isStarting(error) || (error instanceof Problem && OF_A_PROXY.has(error.status));

/** Calls `again` as soon as the service answers; returns what takes that back. */
export function wait(error: Problem | Unreachable, again: () => void): () => void {
  waiting.add(again);
  if (!outage.peek()) {
    pause = FIRST_PAUSE;
    lookLater(error);
  }
  return () => waiting.delete(again);
}

/** Looks now. */
export async function look(): Promise<void> {
  clearTimeout(timer);
  try {
    await askAddress('/ready');
  } catch (error) {
    if (isOutage(error)) {
      lookLater(error);
      return;
    }
    if (!(error instanceof Problem)) throw error;
    // The service answers: each question says by itself what is wrong.
  }
  const all = [...waiting];
  waiting.clear();
  batch(() => {
    outage.value = null;
    for (const again of all) again();
  });
}

function lookLater(error: Problem | Unreachable): void {
  outage.value = {
    since: outage.peek()?.since ?? Date.now(),
    starting: isStarting(error) ? error.detail : null,
    lookAt: Date.now() + pause,
  };
  timer = setTimeout(look, pause) as unknown as number;
  pause = Math.min(2 * pause, LONGEST_PAUSE);
}
