// What is wrong with a question, and when it is asked again by itself.

import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { Problem } from './ask';
import { isOutage, wait } from './connection';
import type { Reading } from './parts';
import { keyNeeded } from './session';

/** What a panel shows of its trouble, and of what it waits for. */
export interface Failing extends Reading {
  readonly trouble: ReadonlySignal<Problem | null>;
  /** When it is asked again by itself, in milliseconds since 1970; null when it is not. */
  readonly retryAt: ReadonlySignal<number | null>;
  retry(): void;
}

const FIRST_PAUSE = 1000; // milliseconds until a busy service is asked again; each time twice as long
const LONGEST_PAUSE = 30_000;
const LATER = new Set([429, 503]); // what may be answered later

/** The failures of one question. Outages are not among them: all questions share these. */
export class Failure {
  readonly trouble: Signal<Problem | null> = signal(null);
  readonly retryAt: Signal<number | null> = signal(null);
  readonly #again: () => void;
  #pause = FIRST_PAUSE;
  #timer = 0;
  #leave: () => void = () => {};

  /** `again` asks the question once more. */
  constructor(again: () => void) {
    this.#again = again;
  }

  /** Takes an error of the question; throws what is none of the service. */
  take(error: unknown): void {
    this.stop();
    if (isOutage(error)) {
      this.#leave = wait(error, this.#again);
      return;
    }
    if (!(error instanceof Problem)) throw error;
    const pause = LATER.has(error.status) ? Math.max(this.#pause, (error.retryAfter ?? 0) * 1000) : null;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    batch(() => {
      this.trouble.value = error;
      this.retryAt.value = pause === null ? null : Date.now() + pause;
      if (error.status === 401) keyNeeded.value = true;
    });
    if (pause !== null) this.#timer = setTimeout(this.#again, pause) as unknown as number;
  }

  /** All is well again. */
  clear(): void {
    this.stop();
    this.#pause = FIRST_PAUSE;
    this.trouble.value = this.retryAt.value = null;
  }

  /** The question is not asked again by itself. */
  stop(): void {
    this.#leave();
    clearTimeout(this.#timer);
  }
}
