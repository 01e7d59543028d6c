// What the SQL page holds: the query, its answer, and the queries of before.

import { batch, type Signal, signal } from '@preact/signals';
import { Problem, Unreachable } from '../../net/ask';
import { keyNeeded } from '../../net/session';
import { say } from '../../parts/clipboard';
import { readStored, writeStored } from '../../state/stored';
import { packed, unpacked } from '../../text/fragment';
import { type Format, fileOf, type Result, resultOf } from './answer';

const KEPT = 50; // queries of before
const HISTORY = 'sql.history';

/** Why a query has no answer, and the line of it that is wrong, from 1. */
export interface Refusal {
  title: string;
  detail: string;
  line: number | null;
}

export class SqlState {
  readonly text: Signal<string>;
  readonly result: Signal<Result | null> = signal(null);
  readonly refusal: Signal<Refusal | null> = signal(null);
  /** Since when a query runs; null when none does. */
  readonly since: Signal<number | null> = signal(null);
  readonly history: Signal<readonly string[]> = signal(readHistory());
  #under: AbortController | null = null;

  constructor(text: string) {
    this.text = signal(text);
    void unpacked(location.hash).then((found) => {
      if (found !== null) this.text.value = found;
    });
  }

  /** Runs a query, by default the whole text, in place of the one that runs. */
  async run(query = this.text.peek()): Promise<void> {
    if (!query.trim()) return;
    this.#remember(query);
    const found = await this.#during((signal) => resultOf(query, signal));
    if (!found) return;
    batch(() => {
      this.result.value = found;
      this.refusal.value = null;
    });
  }

  /** Saves the whole result of the query that is shown. */
  async save(format: Format): Promise<void> {
    const query = this.result.peek()?.query;
    if (query === undefined) return;
    const file = await this.#during((signal) => fileOf(query, format, signal));
    if (!file) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `result.${format.end}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser may still read it
    say(`result.${format.end} saved`);
  }

  /** Ends what runs. */
  stop(): void {
    this.#under?.abort();
    this.#under = null;
    this.since.value = null;
  }

  async #during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.stop();
    const under = new AbortController();
    this.#under = under;
    this.since.value = Date.now();
    try {
      const found = await work(under.signal);
      return under === this.#under ? found : null;
    } catch (error) {
      if (under === this.#under) this.refusal.value = refusalOf(error);
      return null;
    } finally {
      if (under === this.#under) this.stop();
    }
  }

  #remember(query: string): void {
    const text = this.text.peek();
    void packed(text).then((fragment) =>
      history.replaceState(null, '', location.pathname + location.search + fragment),
    );
    this.history.value = [query, ...this.history.peek().filter((other) => other !== query)].slice(0, KEPT);
    writeStored(HISTORY, JSON.stringify(this.history.peek()));
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Problem) {
    if (error.status === 401) keyNeeded.value = true;
    const detail = error.fields[0]?.message ?? error.detail;
    const line = /^line (\d+): /.exec(detail);
    return { title: error.title, detail, line: line ? Number(line[1]) : null };
  }
  if (error instanceof Unreachable) return { title: 'No answer', detail: 'The service does not answer.', line: null };
  throw error;
}

function readHistory(): string[] {
  try {
    const found: unknown = JSON.parse(readStored(HISTORY) ?? '[]');
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}
