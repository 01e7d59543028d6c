// The words of the page that stand in more than one place, and all sentences with numbers in them.

import type { DurationRank, ErrorGroupDetail } from './api';
import type { Facts } from './net/screen';
import { duration } from './text/duration';
import { count, percent, plural, times } from './text/number';
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
  { key: 'q', path: '/ui/sql', name: 'SQL' },
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

/** What a query found, and how. */
export const sqlAnswered = (n: number, cut: boolean, ms: number, snapshot: string): string =>
  `${cut ? `the first ${plural(n, 'row', 'rows')}` : plural(n, 'row', 'rows')} · ${count(Math.ceil(ms))} ms · snapshot ${snapshot}`;

export const runs = (n: number): string => plural(n, 'run', 'runs');
export const newRuns = (n: number): string => `${plural(n, 'new run', 'new runs')} ↑`;
export const newFailedRuns = (n: number): string => `${plural(n, 'new failed run', 'new failed runs')} ↑`;
export const otherRuns = (n: number): string =>
  `${plural(n, 'run has', 'runs have')} not started yet, so no window has ${n === 1 ? 'it' : 'them'}`;

export const queuedRuns = (n: number): string => plural(n, 'queued run', 'queued runs');
export const queuedCut = (shown: number, all: number): string => `The oldest ${count(shown)} of ${count(all)}.`;

export const markedRuns = (n: number): string => `${count(n)} marked`;
export const markTwo = 'Mark two runs with x to compare them';
export const chooseRow = 'Choose a row first, with j and k or by a click';
export const noFailedRun = (way: 1 | -1): string => `No failed run further ${way > 0 ? 'down' : 'up'}`;
export const noFailedRunOfTask = (way: 1 | -1): string =>
  `No run of this task ${way > 0 ? 'before' : 'after'} this one failed`;
export const differingFields = (n: number, all: number): string =>
  `${count(n)} of ${plural(all, 'field', 'fields')} differ`;
export const differentValues = (n: number, most: number): string =>
  n >= most
    ? `At least ${count(n)} values differ; these are the first.`
    : `${plural(n, 'value differs', 'values differ')}.`;

/** The line at the foot of a screen: how its numbers were found. */
export const footing = (facts: Facts, zone: string): string =>
  `snapshot ${facts.snapshot === null ? '–' : count(facts.snapshot)} of ${clockSeconds(facts.at, zone)} · ` +
  `${plural(facts.answers, 'answer', 'answers')}, ${count(Math.ceil(facts.ms))} ms`;

/** How far a long question came. */
export const daysRead = (done: number, of: number): string => `${count(done)} of ${plural(of, 'day', 'days')} read`;

/** A bucket of a histogram in words. */
export function bucket(when: string, success: number, failed: number, open: number): string {
  const parts = [`${count(success + failed + open)} runs`, `${count(failed)} failed`];
  if (open) parts.push(`${count(open)} open`);
  return `${when}: ${parts.join(', ')}`;
}

export const burstsNote = '▲: a burst of failures begins';
export const burstBegins = 'a burst of failures begins';

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

export const noneQueued =
  'Queued runs have not started, so no window has them. Another status lists runs of the window.';

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
export const spreadRest = (others: number, noun: 'task' | 'worker'): string =>
  plural(others, `other ${noun}`, `other ${noun}s`);
export const restOf = (others: string, rest: number): string => `${others}: ${runs(rest)}`;

export const workersName = (n: number): string => (n === 1 ? 'worker' : 'workers');

/** A spark line of a worker in words. */
export function workerSpark(all: readonly number[], failed: readonly number[]): string {
  return `Runs over time: at most ${count(Math.max(0, ...all))}, failed ${count(Math.max(0, ...failed))} in one part`;
}

export const successShare = (success: number, failed: number): string =>
  success + failed ? percent(success / (success + failed)) : '–';

/** How other attempts at the same work were found. */
export const attemptsFound = (candidates: number): string =>
  `inferred: same task, next number, within 24 hours${candidates > 1 ? `; one of ${candidates} that fit` : ''}`;

/** A duration beside those of the same task. */
export function comparedDuration({ share_faster, of, days }: DurationRank): string {
  const others = `${plural(of, 'other run', 'other runs')} of this task in the ${plural(days, 'day', 'days')} before`;
  if (share_faster === 0) return `As fast as any of ${others}.`;
  if (share_faster === 1) return `Slower than all of ${others}.`;
  return `Slower than ${Math.floor(share_faster * 100)} % of ${others}.`;
}

/** A duration as a multiple of the p95 of its task. */
export const againstMost = (ratio: number, p95: string): string => `${times(ratio)} the p95 of this task, ≈ ${p95}`;

export const distributionLabel = (n: number): string =>
  `How long ${runs(n)} of this task took, from short to long; the mark is this run.`;

export const libraryFrames = (n: number): string => plural(n, 'library call', 'library calls');

export const sizeOf = (characters: number): string => plural(characters, 'character', 'characters');

export const partOf = (shown: number, all: number, what: string): string => `${count(shown)} of ${count(all)} ${what}`;
export const tableCut = (shown: number, all: number): string =>
  `The first ${count(shown)} of ${count(all)} columns; the tree has all of them.`;

/** Where one is among what was found. */
export function found(at: number, n: number, most: number): string {
  if (!n) return 'not found';
  return `${count(at + 1)} of ${n === most ? 'at least ' : ''}${count(n)}`;
}

/** What an object or an array holds. */
export const holds = (kind: 'object' | 'array', n: number): string =>
  kind === 'object' ? `{${n ? plural(n, 'member', 'members') : ''}}` : `[${n ? plural(n, 'item', 'items') : ''}]`;

/** Where else an error was seen. */
export const sameError = ({ runs: n, tasks, owners, first_seen, is_new }: ErrorGroupDetail): string =>
  `Same error: ${runs(n)} of ${plural(tasks, 'task', 'tasks')} on ${plural(owners, 'worker', 'workers')} in the 7 days ` +
  `up to this run; ${is_new ? 'new' : 'known'} since ${first_seen.slice(0, 10)}.`;

/** What a selection of runs can be compared with. */
export const AGAINST = {
  rest: 'all other runs of the same time',
  window: 'the whole window',
  previous: 'the time just before',
} as const;
export type Against = keyof typeof AGAINST;

/** What runs are told apart by. */
export const MEASURES = {
  owner: 'worker',
  task: 'task',
  error_group: 'error',
  attempt: 'attempt',
  duration: 'duration',
  hour: 'hour of the day',
} as const;

/** How many runs were selected, and how many they are compared with. */
export const differenceOf = (selected: number, others: number, against: Against): string =>
  `${plural(selected, 'selected run', 'selected runs')}, ${count(others)} ${OTHERS[against].toLowerCase()}`;

/** What the runs are called that a selection is compared with. */
export const OTHERS: Record<Against, string> = {
  rest: 'Others',
  window: 'In the whole window',
  previous: 'Just before',
};

/** How much more often something is the case. */
export const timesAsOften = (lift: number | null): string => (lift === null ? 'only here' : times(lift));
