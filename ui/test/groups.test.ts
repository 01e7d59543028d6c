import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byTag, groupRow, isGroup } from '../src/pages/tasks/groups';
import { row } from './rows';

const FLEET = [
  row('a', { tags: ['etl'], runs: 10, failed: 1, spark: [1, 2], last: 5 }),
  row('b', { tags: ['etl', 'slow'], runs: 20, failed: 9, open: 2, streak: -1, spark: [3, 4], last: 9, most: null }),
  row('c', { tags: [], runs: 5, failed: 5, streak: -3 }),
];

test('a tag is the sum of its tasks; what cannot be added up is not known', () => {
  const group = groupRow('etl', FLEET.slice(0, 2), false);
  assert.deepEqual([group.runs, group.failed, group.open, group.tasks], [30, 10, 2, 2]);
  assert.equal(group.success, 18 / 28);
  assert.deepEqual(group.spark, [4, 6]);
  assert.deepEqual([group.last, group.most, group.p95, group.slower], [9, 20, null, null]);
  assert.deepEqual([group.counts.failing, group.counts.silent, group.states], [1, 0, ['failing']]);
});

test('tags and their tasks stand in the same order, and tasks without a tag at the end', () => {
  const names = (key: string, ascending: boolean): string[] =>
    byTag(FLEET, key, ascending).map((line) => (isGroup(line) ? `#${line.group}` : line.id));
  assert.deepEqual(names('failed', false), ['#etl', 'b', 'a', '#slow', 'b', '#', 'c']);
  assert.deepEqual(names('failed', true), ['#slow', 'b', '#etl', 'a', 'b', '#', 'c']);
  assert.deepEqual(names('task', true), ['#etl', 'a', 'b', '#slow', 'b', '#', 'c']);
});
