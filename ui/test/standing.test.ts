import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Share } from '../src/api';
import { found, sorted, sortingOf, sortText, standingOf, type WorkerRow } from '../src/pages/workers/rows';
import { standing, zOf } from '../src/parts/standing';

const share = (value: Share['value'], selected: number, baseline: number, [of, others] = [100, 900]): Share => ({
  value,
  selected,
  baseline,
  selected_share: selected / of!,
  baseline_share: baseline / others!,
  lift: baseline ? selected / of! / (baseline / others!) : null,
});

test('distances are those of two shares in standard errors', () => {
  const answer = { selected: 100, baseline: 900, by: {} };
  assert.equal(zOf({ selected: 10, baseline: 90 }, answer), 0);
  // p1 = 0.5, p0 = 0.1, p = 0.14; sqrt(0.14 * 0.86 * (1 / 100 + 1 / 900)) = 0.03658
  assert.ok(Math.abs(zOf({ selected: 50, baseline: 90 }, answer) - 0.4 / 0.036575) < 0.001);
  assert.equal(zOf({ selected: 100, baseline: 900 }, answer), 0); // all runs have it: nothing stands out
});

test('what stands out comes with the surest first, at most two of a kind, and nothing that chance makes', () => {
  const by = {
    hour: [share(1, 40, 90), share(2, 35, 90), share(3, 30, 90)],
    task: [share('a', 90, 90), share('b', 11, 90)],
    owner: [share('alone', 2, 0)],
    error_group: [share('only', 60, 0)],
  };
  const rows = standing({ selected: 100, baseline: 900, by }).map(({ dimension, share: { value } }) => [
    dimension,
    value,
  ]);
  assert.deepEqual(rows, [
    ['error_group', 'only'],
    ['task', 'a'],
    ['hour', 1],
    ['hour', 2],
  ]);
});

const worker = (owner: string, z: number | null, failed = 0): WorkerRow => ({
  ...{ owner, z, failed, runs: 10, rate: null, mean: null, before: null, comparable: false },
  ...{ open: 0, lost: 0, seen: 0, spark: null },
});

test('the order of workers is total both ways, and what has no value comes last', () => {
  const rows = [worker('c', null), worker('b', 1), worker('a', 1), worker('d', 5)];
  const names = (text: string): string => sorted(rows, sortingOf(text)).reduce((all, { owner }) => all + owner, '');
  assert.deepEqual(['-z', 'z', 'owner', '-owner', 'failed', 'no such'].map(names), [
    ...['dabc', 'abdc', 'abcd', 'dcba', 'abcd', 'dabc'],
  ]);
  assert.deepEqual(
    found(rows, 'D').map(({ owner }) => owner),
    ['d'],
  );
});

test('a click sorts from the greatest down, names from the first on, and turns the order of the same column', () => {
  assert.equal(sortText('failed', sortingOf()), '-failed');
  assert.equal(sortText('failed', sortingOf('-failed')), 'failed');
  assert.equal(sortText('owner', sortingOf()), 'owner');
  assert.equal(sortText('z', sortingOf('owner')), undefined); // as without a parameter
});

test('a distance has the same words in both directions only where it is small', () => {
  assert.deepEqual([null, 0, -2.9, 3, 6, -3].map(standingOf), [
    '–',
    'as the others',
    'as the others',
    'fails more',
    'fails far more',
    'fails less',
  ]);
});
