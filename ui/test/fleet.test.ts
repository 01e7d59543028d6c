import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SORTS, sorted } from '../src/pages/tasks/order';
import { type Signs, statesOf, stateText } from '../src/pages/tasks/states';
import { row, WELL } from './rows';

test('each state begins at its border', () => {
  const states = (signs: Partial<Signs>): string[] => statesOf({ ...WELL, ...signs });
  assert.deepEqual(states({}), []);
  assert.deepEqual(states({ streak: -1 }), ['failing']);
  assert.deepEqual(states({ streak: 0 }), []);
  const slow = { slower: 0.65, p95: 12.5 };
  assert.deepEqual(states(slow), ['slower']);
  assert.deepEqual(states({ ...slow, slower: 0.649 }), []);
  assert.deepEqual(states({ ...slow, p95: 12.4 }), []);
  assert.deepEqual(states({ ...slow, finishedBefore: 29 }), []);
  assert.deepEqual(states({ ...slow, finished: 30, finishedBefore: 30 }), ['slower']);
  assert.deepEqual(states({ silent: 1200 }), []);
  assert.deepEqual(states({ silent: 1201 }), ['silent']);
  assert.deepEqual(states({ silent: 1e9, gap: null }), []);
  assert.deepEqual(states({ finished: 11, flips: 1 }), ['flaky']);
  assert.deepEqual(states({ finished: 12, flips: 1 }), []);
  assert.deepEqual(states({ finished: 9, flips: 8 }), []);
  assert.equal(stateText('failing', { ...WELL, streak: -7 }), 'failing ×7');
  assert.equal(stateText('slower', { ...WELL, p95: 23 }), 'slower 2.3×');
});

test('every order is total, and what is not known stands last', () => {
  const rows = ['c', 'a', 'd', 'b'].map((id, at) => row(id, { p95: at % 2 ? null : 7, failed: at % 3 }));
  for (const key of Object.keys(SORTS)) {
    for (const ascending of [true, false]) {
      const ids = sorted(rows, key, ascending).map(({ id }) => id);
      assert.deepEqual(
        sorted([...rows].reverse(), key, ascending).map(({ id }) => id),
        ids,
        key,
      );
    }
  }
  const nulls = (ascending: boolean): string =>
    sorted(rows, 'p95', ascending)
      .map(({ id }) => id)
      .join('');
  assert.equal(nulls(true), 'cdab');
  assert.equal(nulls(false), 'cdab');
});
