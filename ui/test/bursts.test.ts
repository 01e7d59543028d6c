import assert from 'node:assert/strict';
import { test } from 'node:test';
import { burstsOf } from '../src/chart/bursts';

const even = (n: number, of: number): number[] => new Array<number>(of).fill(n);
const changed = (counts: number[], at: Record<number, number>): number[] => counts.map((n, place) => at[place] ?? n);

test('a burst is what no chance explains, and it begins once', () => {
  const success = even(95, 100);
  assert.deepEqual(burstsOf({ success, failed: even(5, 100) }), []);
  assert.deepEqual(burstsOf({ success, failed: changed(even(5, 100), { 50: 14 }) }), []);
  assert.deepEqual(burstsOf({ success, failed: changed(even(5, 100), { 50: 40, 51: 40, 52: 5, 99: 60 }) }), [50, 99]);
});

test('a few runs of a quiet window may be one', () => {
  assert.deepEqual(burstsOf({ success: even(10, 24), failed: changed(even(0, 24), { 0: 2 }) }), []);
  assert.deepEqual(burstsOf({ success: even(10, 24), failed: changed(even(0, 24), { 0: 8 }) }), [0]);
});

test('where all runs failed, or none, none is one', () => {
  assert.deepEqual(burstsOf({ success: even(0, 5), failed: [1, 900, 3, 4, 5] }), []);
  assert.deepEqual(burstsOf({ success: [1, 900], failed: even(0, 2) }), []);
  assert.deepEqual(burstsOf({ success: [], failed: [] }), []);
});
