// Reads the outputs of a list exactly, and finds the values of its columns in them.

import type { Run, RunPage } from '../../api';
import type { OutputReader, OutputValue } from '../../net/outputs';
import { JsonIndex, visible } from '../../text/json';
import { memberOf, stepsOf, valueAt } from '../../text/json_path';

const LONGEST = 300; // characters of a value in a cell
const known = new WeakMap<Run, JsonIndex>();

/** A page of runs, each output as the text that is stored. */
function parsePage(text: string): RunPage {
  const page = JSON.parse(text) as RunPage;
  const index = new JsonIndex(text);
  const items = memberOf(index, 0, 'items')!;
  let at = items + 1;
  for (const run of page.items) {
    const output = memberOf(index, at, 'output');
    run.output = output === null ? null : index.sourceOf(output);
    at = index.next[at]!;
  }
  return page;
}

function indexOf(run: Run): JsonIndex | null {
  if (typeof run.output !== 'string') return null;
  const index = known.get(run) ?? new JsonIndex(run.output);
  known.set(run, index);
  return index;
}

function valueIn(run: Run, path: string): OutputValue | null {
  const index = indexOf(run);
  const value = index && valueAt(index, stepsOf(path) ?? []);
  if (!index || value === null) return null;
  const [kind, source] = [index.kindOf(value), index.sourceOf(value)];
  const text = kind === 'string' ? visible(JSON.parse(source) as string) : source;
  return { kind, text: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text };
}

export const outputs: OutputReader = { parse: parsePage, valueIn };
