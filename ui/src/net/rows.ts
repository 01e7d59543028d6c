// The rows of a long list, page by page: those that are seen are asked for, those that are scrolled past are not.

import { batch, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Run, RunPage } from '../api';
import { type Asked, addressOf, askAddress } from './ask';
import { type Failing, Failure } from './failure';
import { outputReader } from './outputs';
import { isLong, Parts, type Progress } from './parts';
import { Chase } from './round';
import type { Screen } from './screen';
import { sessions } from './session';

const PAGE = 100; // rows of a request
const WITH_OUTPUT = 25; // rows of a request, where each has its output: up to a megabyte
const MOST_PAGES = 60; // that are kept

interface Page {
  items: readonly Run[];
  snapshot: number | null;
}

const hasOutput = (query: Asked<'/runs'> | null): boolean =>
  String(query?.fields ?? '')
    .split(',')
    .includes('output');

/** The runs of a question by rank, from 0. */
export class Rows implements Failing {
  /** How many there are; null until an answer says so. */
  readonly total: Signal<number | null> = signal(null);
  readonly #failure = new Failure(() => this.retry());
  readonly trouble = this.#failure.trouble;
  readonly retryAt = this.#failure.retryAt;
  readonly #parts = new Parts();
  readonly progress = this.#parts.progress;
  readonly goes = this.#parts.goes;
  /** Changes whenever rows come. */
  readonly changed: Signal<number> = signal(0);
  /** Whether the rows are those of the question of now. */
  readonly current: Signal<boolean> = signal(false);
  readonly #pages = new Map<number, Page>();
  readonly #under = new Map<number, AbortController>();
  readonly #stops: (() => void)[];
  #query: Asked<'/runs'> | null = null;
  #address = '';
  /** Rows of a page that is asked for, and of the pages that are here. */
  #size = PAGE;
  #held = PAGE;
  #seen: [number, number] = [0, PAGE - 1];
  readonly #chase = new Chase();

  constructor(
    readonly screen: Screen,
    query: ReadonlySignal<Asked<'/runs'> | null>,
  ) {
    this.#stops = [
      effect(() => this.#ask(hasOutput(query.value) && !outputReader.value ? null : query.value)),
      effect(() => this.#follow(screen.newest.value)),
      effect(() => void (sessions.value && this.retry())),
    ];
  }

  /** The run of a rank, where it is here. */
  at(rank: number): Run | undefined {
    void this.changed.value;
    return this.#pages.get(Math.floor(rank / this.#held))?.items[rank % this.#held];
  }

  /** The question, without a page; null while nothing is asked. */
  get question(): Asked<'/runs'> | null {
    return this.#query;
  }

  /** Says which ranks are seen: these pages are asked for, others are not any more. */
  show(first: number, last: number): void {
    this.#seen = [first, last];
    const pages = this.#wanted();
    for (const [number, under] of this.#under) {
      if (pages.includes(number)) continue;
      under.abort();
      this.#under.delete(number);
    }
    for (const number of pages) if (!this.#pages.has(number) && !this.#under.has(number)) this.#fetch(number);
  }

  retry(): void {
    this.#refresh();
  }

  halt(): void {
    this.#abort();
    this.#parts.halt();
  }

  close(): void {
    this.#failure.stop();
    this.#chase.begin();
    for (const stop of this.#stops) stop();
    this.halt();
  }

  #abort(): void {
    const under = [...this.#under.values()];
    this.#under.clear(); // so that nobody hears of the end of them
    for (const one of under) one.abort();
  }

  #wanted(): number[] {
    const [first, size] = [Math.floor(this.#seen[0] / this.#size), this.#size];
    const last = Math.max(0, Math.min(this.#seen[1], (this.total.peek() ?? size) - 1));
    const numbers = [];
    for (let page = first; page <= Math.floor(last / size); page++) numbers.push(page);
    return numbers;
  }

  /** Begins anew with another question; what is shown stays until the first answer. */
  #ask(query: Asked<'/runs'> | null): void {
    const address = query ? addressOf('/runs', query) : '';
    if (address === this.#address) return;
    this.#address = address;
    this.#query = query;
    this.#size = hasOutput(query) ? WITH_OUTPUT : PAGE;
    this.current.value = false;
    this.#chase.begin();
    this.#refresh(this.#parts.renews);
  }

  /** Asks for what is seen once more, when another answer of the screen is of a newer snapshot. */
  #follow(newest: number): void {
    const old = [...this.#pages.values()].some((page) => page.snapshot !== null && page.snapshot < newest);
    this.#chase.follow(old ? newest : null, this.#address, () => this.#refresh());
  }

  #refresh(inRound = false): void {
    this.#abort();
    this.#parts.begin();
    if (this.#query) for (const number of this.#wanted()) this.#fetch(number, inRound);
  }

  #fetch(number: number, inRound = false): void {
    const query = this.#query;
    if (!query) return;
    const under = new AbortController();
    this.#under.set(number, under);
    if (inRound) this.screen.round.join(under);
    const address = addressOf('/runs', { ...query, limit: this.#size, offset: number * this.#size });
    const mine = (): boolean => this.#under.get(number) === under;
    const take = (part: RunPage & Progress): void => {
      if (mine() && number === this.#wanted()[0]) this.#parts.take(part, () => this.#takePart(number, part));
    };
    askAddress<RunPage>(address, under.signal, hasOutput(query) ? outputReader.peek()?.parse : undefined, take).then(
      ({ body, snapshot }) => {
        if (!mine()) return;
        const show = (): void => this.#take(number, { items: body.items, snapshot }, body.total);
        const again = (): void => this.#fetch(number, true);
        this.screen.round.take(under, snapshot, show, isLong(address) ? null : again);
      },
      (error: unknown) => {
        if (mine()) this.#fail(number, error);
        this.screen.round.leave(under);
      },
    );
  }

  /** What is known of a page while the list is read: the newest runs of it. */
  #takePart(number: number, { items, total }: RunPage): void {
    this.#pages.clear(); // they are of another question, or of an earlier part
    this.#held = this.#size;
    this.#pages.set(number, { items, snapshot: null });
    this.total.value = total;
    this.changed.value += 1;
  }

  #take(number: number, page: Page, total: number): void {
    this.#under.delete(number);
    this.#parts.end(true);
    const of = page.snapshot ?? -1;
    // Pages of another question, or of another snapshot, do not fit to this one.
    for (const [other, { snapshot }] of this.#pages) {
      if (!this.current.peek() || (snapshot ?? -1) < of) this.#pages.delete(other);
    }
    this.#held = this.#size;
    this.#pages.delete(number);
    this.#pages.set(number, page);
    if (this.#pages.size > MOST_PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    batch(() => {
      this.total.value = total;
      this.current.value = true;
      this.#failure.clear();
      this.changed.value += 1;
      this.screen.saw(page.snapshot);
    });
    this.show(...this.#seen);
  }

  #fail(number: number, error: unknown): void {
    this.#under.delete(number);
    this.#parts.halt();
    this.#failure.take(error);
  }
}
