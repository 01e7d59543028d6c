// Outputs in a list. They are read by a script that comes when they are first asked for: `JSON.parse` would round them.

import { signal } from '@preact/signals';
import type { Run, RunPage } from '../api';

/** A value of an output, as text. */
export interface OutputValue {
  kind: 'object' | 'array' | 'string' | 'number' | 'word';
  text: string;
}

export interface OutputReader {
  /** Reads a page of runs whose outputs stay the texts that are stored. */
  parse(text: string): RunPage;
  /** The value that a path leads to in the output of such a run; null where there is none. */
  valueIn(run: Run, path: string): OutputValue | null;
}

/** What reads outputs; null until it is here. */
export const outputReader = signal<OutputReader | null>(null);
