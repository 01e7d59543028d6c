// The four words for a task that somebody should look at. Each has one fixed meaning, which its tooltip says.

import { duration } from '../../text/duration';
import { plural, times } from '../../text/number';

/** What the words are made from; null where it is not known. */
export interface Signs {
  finished: number;
  finishedBefore: number;
  streak: number;
  flips: number;
  silent: number | null;
  gap: number | null;
  p95: number | null;
  p95Before: number | null;
  slower: number | null;
}

export const STATES = {
  failing: { glyph: '✕', many: 'failing', means: 'Failing: the last finished run of the window failed.' },
  slower: {
    glyph: '▲',
    many: 'slower',
    means:
      'Slower: a run of this window takes longer than one of the window before with a probability of at least 65 %, ' +
      'and the 95th percentile grew by at least a quarter; at least 30 runs in both windows.',
  },
  silent: {
    glyph: '…',
    many: 'silent',
    means: 'Silent: no run for more than twice the longest gap of the 28 days before.',
  },
  flaky: {
    glyph: '⇅',
    many: 'flaky',
    means: 'Flaky: at least 10 runs finished, and after at least every tenth of them the result changed.',
  },
} as const;
export type State = keyof typeof STATES;
export const STATE_NAMES = Object.keys(STATES) as State[];

const LIKELY = 0.65; // that a run now takes longer than one before
const GROWTH = 1.25; // of the 95th percentile
const ENOUGH = 30; // runs on both sides
const OFTEN = 0.1; // changes of the result, by the pairs of neighbours
const FEWEST = 10; // runs that can be flaky

const TESTS: Record<State, (signs: Signs) => boolean> = {
  failing: ({ streak }) => streak <= -1,
  slower: ({ finished, finishedBefore, slower, p95, p95Before }) =>
    Math.min(finished, finishedBefore) >= ENOUGH &&
    (slower ?? 0) >= LIKELY &&
    p95 !== null &&
    p95Before !== null &&
    p95 >= GROWTH * p95Before,
  silent: ({ silent, gap }) => silent !== null && gap !== null && silent > 2 * gap,
  flaky: ({ finished, flips }) => finished >= FEWEST && flips / (finished - 1) >= OFTEN,
};

/** The states of a task, the gravest first. */
export const statesOf = (signs: Signs): State[] => STATE_NAMES.filter((state) => TESTS[state](signs));

/** How many times as long as before the 95th percentile is; null where it is not known. */
export const growth = ({ p95, p95Before }: Pick<Signs, 'p95' | 'p95Before'>): number | null =>
  p95 === null || !p95Before ? null : p95 / p95Before;

/** A state with its number: "failing ×7", "slower 2.3×", "silent 9 h". */
export function stateText(state: State, signs: Signs): string {
  if (state === 'failing') return `failing ×${-signs.streak}`;
  if (state === 'slower') return `slower ${times(growth(signs)!)}`;
  if (state === 'silent') return `silent ${duration(signs.silent!)}`;
  return 'flaky';
}

/** What is behind a state, in a sentence. */
export function stateReason(state: State, signs: Signs): string {
  const { means } = STATES[state];
  if (state === 'failing') return `${means} Failures in a row: ${-signs.streak}.`;
  if (state === 'slower') {
    const before = duration(signs.p95Before!);
    return `${means} Probability ${Math.round(signs.slower! * 100)} %, 95th percentile ${before} before, ${duration(signs.p95!)} now.`;
  }
  if (state === 'silent') return `${means} Quiet for ${duration(signs.silent!)}; longest gap ${duration(signs.gap!)}.`;
  return `${means} ${plural(signs.flips, 'change', 'changes')} in ${plural(signs.finished, 'run', 'runs')}.`;
}
