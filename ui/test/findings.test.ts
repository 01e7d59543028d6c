import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorGroup } from '../src/api';
import { attention, MOST, newGroups, outstanding, telling, worst } from '../src/pages/overview/findings';
import { row } from './rows';

test('no state hides another one', () => {
  const failing = Array.from({ length: 30 }, (_, at) => row(`f${at}`, { streak: -1 - at, failed: 1 }));
  const rows = [...failing, row('slow', { slower: 0.9, p95: 30 }), row('quiet', { silent: 9999 })];
  const found = attention(rows);
  assert.equal(found.length, MOST);
  assert.deepEqual(
    found.slice(-2).map(({ row: { id } }) => id),
    ['slow', 'quiet'],
  );
  assert.equal(found[0]!.row.id, 'f29');
  assert.equal(worst(rows)!.id, 'f29');
  assert.deepEqual(attention([row('well')]), []);
  assert.equal(worst([row('well')]), null);
});

test('a worker stands out by its failures, not by its work', () => {
  const columns = {
    owner: ['bad', 'busy', 'unlucky'],
    runs: [100, 1000, 10],
    failed: [40, 50, 4],
    open: [0, 0, 0],
    failure_z: [12, -3, 5],
  };
  const found = outstanding({ columns } as unknown as Parameters<typeof outstanding>[0]);
  assert.deepEqual(found, [{ name: 'bad', runs: 100, failed: 40, share: 0.4, others: 54 / 1010 }]);
});

test('new errors come first, then those that have become more frequent', () => {
  const of = (id: string, runs: number, previous_runs: number, is_new = false): ErrorGroup =>
    ({ id, runs, previous_runs, is_new }) as ErrorGroup;
  const groups = [
    ...[of('new', 3, 0, true), of('newer', 5, 0, true), of('steady', 900, 950), of('risen', 381, 3)],
    ...[of('a', 7, 7), of('b', 6, 6), of('c', 5, 5)],
  ];
  const ids = (complete: boolean): string[] => telling(groups, newGroups(groups, complete)).map(({ id }) => id);
  assert.deepEqual(ids(true), ['newer', 'new', 'risen', 'a', 'b', 'c']);
  assert.deepEqual(ids(false), ['risen', 'newer', 'new', 'a', 'b', 'c']);
});
