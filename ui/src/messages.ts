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

/** A bucket of failed runs by group: the letters of the picture, and all others. */
export function groupBucket(when: string, failed: number, groups: [string, number][], others: number): string {
  const parts = groups.filter(([, n]) => n > 0).map(([letter, n]) => `${letter} ${count(n)}`);
  if (others) parts.push(`others ${count(others)}`);
  return `${when}: ${count(failed)} failed${parts.length ? ` (${parts.join(', ')})` : ''}`;
}

export const failedRuns = (n: number): string => plural(n, 'failed run', 'failed runs');
export const groupsName = (n: number, words: string): string =>
  `${n === 1 ? 'group' : 'groups'}${words ? ` with “${words}”` : ''}`;
export const groupsCut = (shown: number, order: string): string => `${count(shown)} shown: ${order}`;
export const previously = (n: number): string => `${runs(n)} in the window before, which is as long`;

/** A spark line in words. */
export function groupSpark(parts: readonly number[]): string {
  const most = Math.max(0, ...parts);
  return `Failed runs over time: at most ${count(most)} in one of ${count(parts.length)} parts of the window`;
}

/** What a list of the greatest parts leaves out. */
export const spreadRest = (others: number, noun: 'task' | 'worker', rest: number): string =>
  `${plural(others, `other ${noun}`, `other ${noun}s`)}: ${runs(rest)}`;

export const workersName = (n: number): string => (n === 1 ? 'worker' : 'workers');

/** A spark line of a worker in words. */
export function workerSpark(all: readonly number[], failed: readonly number[]): string {
  return `Runs over time: at most ${count(Math.max(0, ...all))}, failed ${count(Math.max(0, ...failed))} in one part`;
}

export const libraryFrames = (n: number): string => plural(n, 'frame of a library', 'frames of libraries');

export const successShare = (success: number, failed: number): string =>
  success + failed ? percent(success / (success + failed)) : '–';
