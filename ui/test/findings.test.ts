import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attention, MOST, outstanding, worst } from '../src/pages/overview/findings';
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
