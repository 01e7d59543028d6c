// Tasks for tests: all is well with them, but for the signs that a test gives.

import type { TaskRow } from '../src/pages/tasks/fleet';
import { type Signs, statesOf } from '../src/pages/tasks/states';

export const WELL: Signs = {
  finished: 100,
  finishedBefore: 100,
  streak: 5,
  flips: 0,
  silent: 60,
  gap: 600,
  p95: 10,
  p95Before: 10,
  slower: 0.5,
};

export const row = (id: string, signs: Partial<TaskRow> = {}): TaskRow => {
  const made = {
    ...WELL,
    ...{ id, name: null, tags: [], runs: 100, failed: 0, open: 0, success: 1, mean: 5, most: 20, p50: 4, last: 1 },
    ...{ runsBefore: 100, failedBefore: 0, failureZ: 0, spark: [], sparkFailed: [], states: [] },
    ...signs,
  };
  return { ...made, states: statesOf(made) };
};
