// Bursts of failures: stretches of a histogram in which far more runs failed than in the rest of it.

import { gTest } from '../text/chance';
import { sum } from '../text/number';
import type { Buckets } from './bars';

const SURE = 23.9; // of the G test: chance would do it once in a million buckets
const LEAST = 3; // failures of a bucket

/** Where bursts begin: buckets whose share of failures no chance explains; of some in a row the first. */
export function burstsOf({ success, failed }: Pick<Buckets, 'success' | 'failed'>): number[] {
  const [allFailed, all] = [sum(failed), sum(failed) + sum(success)];
  const isBurst = (at: number): boolean => {
    const [bad, n] = [failed[at] ?? 0, (failed[at] ?? 0) + (success[at] ?? 0)];
    const [otherBad, others] = [allFailed - bad, all - n];
    return bad >= LEAST && bad * others > otherBad * n && gTest(bad, n, otherBad, others) >= SURE;
  };
  return failed.map((_, at) => at).filter((at) => isBurst(at) && !isBurst(at - 1));
}
