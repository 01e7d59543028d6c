// Answers that renew what a screen shows: they are shown together when the last one is here, so that what one sees is of
// one snapshot, also while runs come in all the time.

import { batch } from '@preact/signals';
import { isLong } from './parts';

interface Came {
  question: AbortController;
  snapshot: number;
  show(): void;
  again: (() => void) | null;
}

const MOST = 5; // times that those which are older than others are asked again
const PAUSE = 1000; // milliseconds between two times that one question is asked for a newer snapshot; each twice as long
const LONGEST_PAUSE = 30_000;

/** The questions of one screen that were asked together; each is known by what ends it. */
export class Round {
  readonly #asked = new Set<AbortController>();
  #came: Came[] = [];
  #times = 0;

  /** A question belongs to the round until it is answered, or ended. */
  join(question: AbortController): void {
    this.#asked.add(question);
    question.signal.addEventListener('abort', () => this.leave(question));
  }

  /** The question has no answer. */
  leave(question: AbortController): void {
    if (this.#asked.delete(question)) this.#settle();
  }

  /** Shows an answer with the others of the round; at once, if it does not belong to it. `again` asks once more; null
   *  where that takes long.
   */
  take(question: AbortController, snapshot: number | null, show: () => void, again: Came['again']): void {
    if (!this.#asked.delete(question)) {
      show();
      return;
    }
    this.#came.push({ question, snapshot: snapshot ?? -1, show, again });
    this.#settle();
  }

  #settle(): void {
    if (this.#asked.size) return;
    const came = this.#came.filter(({ question }) => !question.signal.aborted);
    const newest = Math.max(...came.map(({ snapshot }) => snapshot));
    const old = came.filter(({ snapshot, again }) => snapshot >= 0 && snapshot < newest && again);
    if (old.length && this.#times < MOST) {
      this.#times += 1;
      this.#came = came.filter((one) => !old.includes(one));
      for (const { again } of old) again!();
      return;
    }
    this.#times = 0;
    this.#came = [];
    batch(() => {
      for (const { show } of came) show();
    });
  }
}

/** Asks a question again, once for each newer snapshot that others are of. While runs come in, questions would chase each
 *  other without end: so less and less often, and those that take long not a second time at all.
 */
export class Chase {
  #newest = -1;
  #notBefore = 0;
  #pause = PAUSE;
  #timer = 0;

  /** Another question is asked, or none. */
  begin(): void {
    this.#newest = -1;
    this.#pause = PAUSE;
    clearTimeout(this.#timer);
  }

  /** Others are of a snapshot; null when they are of none that is newer. */
  follow(newest: number | null, url: string, again: () => void): void {
    clearTimeout(this.#timer);
    if (newest === null || this.#newest >= newest) return;
    const wait = this.#notBefore - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.follow(newest, url, again), wait) as unknown as number;
      return;
    }
    this.#newest = isLong(url) ? Number.POSITIVE_INFINITY : newest;
    this.#notBefore = performance.now() + this.#pause;
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    again();
  }
}
