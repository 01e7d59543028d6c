// Answers in parts. What no rollup knows the service reads run by run, the newest days first, and it says meanwhile what it
// has found.

import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Timestamp } from '../api';
import { type Place, place } from '../state/url';

/** How far an answer came: `done` of `of` days are read, which are all runs from `since` on. */
export interface Progress {
  done: number;
  of: number;
  since: Timestamp;
}

export type TakePart<T> = (body: T & Progress) => void;

export const EVENTS = 'text/event-stream';
const ROUTES = /^\/(runs|errors|stats\/(histogram|durations|breakdown))\?/;
const LONG = /[?&](lease_owner|attempt_min|duration_min|duration_max|error|order=duration|by=owner)\b/;

/** Whether the service reads run by run to answer what an address asks. */
export const isLong = (url: string): boolean =>
  ROUTES.test(url) && (LONG.test(url) || url.startsWith('/stats/breakdown'));

const PATIENCE = 300; // milliseconds in which nobody misses a part

/** What is shown of a question that is being read. */
export interface Reading {
  /** How far it came; null where nothing, or all of it, is shown. */
  readonly progress: ReadonlySignal<Progress | null>;
  /** Whether it goes on. */
  readonly goes: ReadonlySignal<boolean>;
  /** Ends it; what came stays. */
  halt(): void;
}

/** The parts of one question. They are shown neither where all comes at once, nor where it only renews what is there. */
export class Parts {
  readonly progress: Signal<Progress | null> = signal(null);
  readonly goes: Signal<boolean> = signal(false);
  /** Where the page was when the last whole answer came; null without one. */
  #place: Place | null = null;
  #due = 0;
  #timer = 0;

  /** Whether the page is where it was then: what is asked renews what is there. */
  get renews(): boolean {
    return place.peek() === this.#place;
  }

  /** The question is asked, and nothing was answered yet. */
  begin(): void {
    clearTimeout(this.#timer);
    this.#due = performance.now() + PATIENCE;
    this.progress.value = null;
  }

  /** A part is here; `show` shows it. */
  take({ done, of, since }: Progress, show: () => void): void {
    if (this.renews) return;
    clearTimeout(this.#timer);
    const publish = (): void =>
      batch(() => {
        this.progress.value = { done, of, since };
        this.goes.value = true;
        show();
      });
    const wait = this.#due - performance.now();
    if (wait > 0) this.#timer = setTimeout(publish, wait) as unknown as number;
    else publish();
  }

  /** The whole answer is here, or none is wanted. */
  end(whole: boolean): void {
    clearTimeout(this.#timer);
    this.#place = whole ? place.peek() : null;
    this.progress.value = null;
  }

  /** No more parts come. */
  halt(): void {
    clearTimeout(this.#timer);
    this.goes.value = false;
  }
}

/** The last event of an answer, as its name and its data; the data of all parts before it go to `take`. */
export async function lastEvent(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (data: string) => void,
): Promise<[string, string]> {
  for await (const event of eventsOf(body)) {
    const [name, data] = [/^event: (.*)$/m.exec(event)?.[1] ?? '', event.slice(event.indexOf('data: ') + 6)];
    if (name !== 'part') return [name, data];
    take(data);
  }
  throw new TypeError('the answer broke off');
}

/** The events of a stream, each as its lines, until it ends. */
export async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split('\n\n');
    rest = events.pop()!;
    yield* events;
  }
}
