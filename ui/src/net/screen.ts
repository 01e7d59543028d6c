// The questions of one screen. Their answers are of one snapshot: a panel whose answer is older is asked again once.

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Routes } from '../api';
import { type Answer, type Asked, addressOf, askAddress, type Route } from './ask';
import { type Failing, Failure } from './failure';
import { isLong, Parts, type Progress } from './parts';
import { Chase, Round } from './round';
import { sessions } from './session';

/** A question that is asked again whenever its parameters change. */
export interface Panel<T> extends Failing {
  /** The last good answer; it stays while a newer one is on its way, and when one fails. */
  readonly answer: ReadonlySignal<Answer<T> | null>;
  /** The same, or what is known of the answer that is on its way: `progress` says how much that is. */
  readonly shown: ReadonlySignal<T | null>;
  /** Whether the answer is to the question of now. */
  readonly current: ReadonlySignal<boolean>;
}

/** Whether a question has come to something: an answer, or a trouble. */
export const isSettled = ({ answer, trouble }: Panel<unknown>): boolean => (answer.value ?? trouble.value) !== null;

/** What stands in the footer. */
export interface Facts {
  snapshot: number | null;
  at: number;
  answers: number;
  ms: number;
}

export class Screen {
  readonly #panels = signal<readonly Question<unknown>[]>([]);
  /** Snapshots that were seen elsewhere, as by the pages of a list. */
  readonly #seen = signal(-1);
  readonly #stops: (() => void)[] = [];
  readonly round = new Round();

  /** The newest snapshot of any answer of the screen. */
  readonly newest = computed(() =>
    this.#panels.value.reduce(
      (newest, panel) => Math.max(newest, panel.answer.value?.snapshot ?? -1),
      this.#seen.value,
    ),
  );

  readonly facts = computed<Facts>(() => {
    const answers = this.#panels.value.flatMap((panel) => panel.answer.value ?? []);
    return {
      snapshot: this.newest.value < 0 ? null : this.newest.value,
      at: Math.max(0, ...answers.map((answer) => answer.at)),
      answers: answers.length,
      ms: answers.reduce((sum, answer) => sum + answer.ms, 0),
    };
  });

  /** Asks a route whenever what `query` returns changes; null asks nothing, and forgets the answer. `again` asks once
   *  more whenever it changes.
   */
  ask<R extends Route>(
    route: R,
    query: () => Asked<R> | null,
    ids: () => Readonly<Record<string, string>> = () => ({}),
    again?: ReadonlySignal<unknown>,
  ): Panel<Routes[R]['answer']> {
    const address = (): string | null => {
      const asked = query();
      return asked && addressOf(route, asked, ids());
    };
    return this.askAddress<Routes[R]['answer']>(address, undefined, again);
  }

  /** As `ask`, by address; `parse` reads the body. */
  askAddress<T>(
    address: () => string | null,
    parse?: (text: string) => unknown,
    again?: ReadonlySignal<unknown>,
  ): Panel<T> {
    const question = new Question<T>(address, parse, this.round, again);
    this.#panels.value = [...this.#panels.value, question as Question<unknown>];
    this.#stops.push(() => question.stop());
    this.#stops.push(effect(() => question.follow(this.newest.value)));
    return question;
  }

  /** A screen for questions beside this one, whose answers may be of a newer snapshot; it is closed with this one. */
  aside(): Screen {
    const made = new Screen();
    this.#stops.push(() => made.close());
    return made;
  }

  /** Tells the screen of the snapshot of another answer. */
  saw(snapshot: number | null): void {
    if (snapshot !== null && snapshot > this.#seen.peek()) this.#seen.value = snapshot;
  }

  /** Ends all questions. */
  close(): void {
    for (const stop of this.#stops) stop();
  }
}

class Question<T> implements Panel<T> {
  readonly answer: Signal<Answer<T> | null> = signal(null);
  readonly #part: Signal<T | null> = signal(null);
  readonly shown = computed(() => this.#part.value ?? this.answer.value?.body ?? null);
  readonly #parts = new Parts();
  readonly progress = this.#parts.progress;
  readonly goes = this.#parts.goes;
  readonly current: ReadonlySignal<boolean>;
  readonly #failure = new Failure(() => this.retry());
  readonly trouble = this.#failure.trouble;
  readonly retryAt = this.#failure.retryAt;
  readonly #answered = signal<string | null>(null);
  readonly #address: ReadonlySignal<string | null>;
  readonly #parse: ((text: string) => unknown) | undefined;
  readonly #round: Round;
  readonly #stopFollowing: () => void;
  #under: AbortController | null = null;
  readonly #chase = new Chase();

  constructor(
    address: () => string | null,
    parse: ((text: string) => unknown) | undefined,
    round: Round,
    again?: ReadonlySignal<unknown>,
  ) {
    this.#parse = parse;
    this.#round = round;
    this.#address = computed(address);
    this.current = computed(() => this.#answered.value === this.#address.value);
    this.#stopFollowing = effect(() => {
      void [sessions.value, again?.value];
      this.#chase.begin();
      this.#begin(this.#address.value, this.#parts.renews);
    });
  }

  retry(): void {
    this.#begin(this.#address.peek());
  }

  /** Asks again, once for each snapshot, when another answer of the screen is of a newer one. */
  follow(newest: number): void {
    const snapshot = this.answer.value?.snapshot;
    const isOlder = snapshot != null && snapshot < newest && this.current.peek();
    this.#chase.follow(isOlder ? newest : null, this.#address.peek() ?? '', () => this.retry());
  }

  halt(): void {
    const under = this.#under;
    this.#under = null; // so that nobody hears of the end of it
    under?.abort();
    this.#parts.halt();
  }

  stop(): void {
    this.#stopFollowing();
    this.halt();
    this.#chase.begin();
    this.#failure.stop();
  }

  #begin(url: string | null, inRound = false): void {
    this.#under?.abort();
    this.#failure.stop();
    if (url === null) {
      this.#under = null;
      this.#take(null, null);
      return;
    }
    const under = new AbortController();
    this.#under = under;
    const mine = (): boolean => under === this.#under;
    if (inRound) this.#round.join(under);
    batch(() => {
      this.#part.value = null;
      this.#parts.begin();
    });
    const take = (part: T & Progress): void => {
      const show = (): void => {
        this.#part.value = part;
      };
      if (mine()) this.#parts.take(part, show);
    };
    askAddress<T>(url, under.signal, this.#parse, take).then(
      (answer) => {
        if (!mine()) return;
        const again = (): void => this.#begin(url, true);
        this.#round.take(under, answer.snapshot, () => this.#take(url, answer), isLong(url) ? null : again);
      },
      (error: unknown) => {
        if (mine()) this.#fail(error);
        this.#round.leave(under);
      },
    );
  }

  #fail(error: unknown): void {
    this.#parts.halt();
    this.#failure.take(error);
  }

  #take(url: string | null, answer: Answer<T> | null): void {
    batch(() => {
      this.answer.value = answer;
      this.#answered.value = url;
      this.#part.value = null;
      this.#parts.end(answer !== null);
      this.#failure.clear();
    });
  }
}
