// The words of the page that stand in more than one place, and all sentences with numbers in them.

import type { Facts } from './net/screen';
import { duration } from './text/duration';
import { count, percent, plural } from './text/number';
import { seconds as clockSeconds } from './text/time';

export const OUTCOMES = {
  success: { glyph: '✓', word: 'success' },
  failed: { glyph: '✕', word: 'failed' },
  running: { glyph: '◐', word: 'running' },
  queued: { glyph: '○', word: 'queued' },
  lost: { glyph: '⚠', word: 'lost' },
} as const;
export type Outcome = keyof typeof OUTCOMES;

export const PAGES = [
  { key: 'o', path: '/', name: 'Overview' },
  { key: 'r', path: '/ui/runs', name: 'Runs' },
  { key: 't', path: '/ui/tasks', name: 'Tasks' },
  { key: 'e', path: '/ui/errors', name: 'Errors' },
  { key: 'w', path: '/ui/workers', name: 'Workers' },
] as const;

export const FILTER_NAMES = {
  task_id: 'task',
  status: 'status',
  success: 'success',
  lease_owner: 'worker',
  error: 'error contains',
  error_group: 'error group',
  attempt_min: 'attempt at least',
  duration_min: 'took at least',
  duration_max: 'took at most',
} as const;

const RANGES: Record<string, [string, string]> = {
  m: ['minute', 'minutes'],
  h: ['hour', 'hours'],
  d: ['day', 'days'],
  w: ['week', 'weeks'],
};

/** A relative range in words: "Last 24 hours". */
export function rangeName(text: string): string {
  const [, n, unit] = /^([\d.]+)([mhdw])$/.exec(text) ?? [];
  if (!n || !unit) return text.charAt(0).toUpperCase() + text.slice(1);
  const [one, many] = RANGES[unit]!;
  return Number(n) === 1 ? `Last ${one}` : `Last ${n} ${many}`;
}

export const runs = (n: number): string => plural(n, 'run', 'runs');
export const newRuns = (n: number): string => `${plural(n, 'new run', 'new runs')} ↑`;
export const otherRuns = (n: number): string =>
  `${plural(n, 'run has', 'runs have')} not started yet and are in no window`;

/** The line at the foot of a screen: how its numbers were found. */
export const footing = (facts: Facts, zone: string): string =>
  `snapshot ${facts.snapshot === null ? '–' : count(facts.snapshot)} of ${clockSeconds(facts.at, zone)} · ` +
  `${plural(facts.answers, 'answer', 'answers')}, ${count(Math.ceil(facts.ms))} ms`;

/** A bucket of a histogram in words. */
export function bucket(when: string, success: number, failed: number, open: number): string {
  const parts = [`${count(success + failed + open)} runs`, `${count(failed)} failed`];
  if (open) parts.push(`${count(open)} open`);
  return `${when}: ${parts.join(', ')}`;
}

/** A histogram in one sentence. */
export function histogramSentence(
  buckets: number,
  width: string,
  total: number,
  failed: number,
  worst: string,
): string {
  if (!total) return 'No runs.';
  const most = failed ? `; most failures ${worst}` : '; none failed';
  return `${plural(buckets, 'bar', 'bars')} of ${width}, ${runs(total)}${most}.`;
}

/** A density in one sentence. */
export const densitySentence = (timed: number, middle: number | null, high: number | null): string =>
  timed && middle !== null && high !== null
    ? `${runs(timed)} by time and duration; half of them took less than ${duration(middle)}, 95 % less than ${duration(high)}.`
    : 'No finished runs.';

/** Why nothing is shown, and what would match. */
export function nothing(filtered: boolean, window: string): string {
  return filtered ? `No run of ${window} matches these filters.` : `No run started in ${window}.`;
}

export const successShare = (success: number, failed: number): string =>
  success + failed ? percent(success / (success + failed)) : '–';
