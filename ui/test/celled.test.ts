import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Durations } from '../src/api';
import { celled } from '../src/pages/task/celled';

const EMPTY = { x: [], y: [], n: [] };
const START = Date.UTC(2026, 10, 8, 12, 0, 10);
const END = Date.UTC(2026, 10, 15, 12, 0, 10);

/** An answer with runs one by one: seconds from the start of the window, durations, results. */
function answerOf(runs: [number, number, boolean][]): Durations {
  return {
    start: new Date(START).toISOString(),
    end: new Date(END).toISOString(),
    ...{ column_seconds: 3600, columns: 169, row_edges_seconds: [], success: EMPTY, failed: EMPTY },
    ...{ p50_seconds: [], p95_seconds: [], timed: runs.length, open: 0, queued: 0 },
    points: {
      id: runs.map((_, at) => String(at)),
      started_at: runs.map(([at]) => (START / 1000 + at) * 1e6),
      seconds: runs.map(([, seconds]) => seconds),
      success: runs.map(([, , success]) => success),
      task: runs.map(() => 0),
      tasks: ['t'],
    },
  };
}

test('runs one by one become columns as the API has them', () => {
  const week = 7 * 86_400;
  const runs = Array.from({ length: 500 }, (_, at): [number, number, boolean] => [
    (at * week) / 500,
    Math.round(10 * 1.05 ** at) / 1e6,
    at % 7 > 0,
  ]);
  const found = celled(answerOf(runs), 30);
  assert.equal(found.column_seconds, 6 * 3600);
  assert.equal(found.columns, 29);
  assert.equal(found.points, null);
  const { success, failed, row_edges_seconds: edges } = found;
  const cells = [success, failed].map(({ x, y }) => x.map((column, at) => ({ column, row: y[at]! })));
  const begin = Date.UTC(2026, 10, 8, 12);
  for (let at = 0; at < found.columns; at++) {
    const inside = runs.filter(([second]) => Math.floor((START + second * 1000 - begin) / (6 * 36e5)) === at);
    for (const [kind, wanted] of [true, false].entries()) {
      const of = inside.filter(([, , result]) => result === wanted).map(([, seconds]) => seconds);
      const rows = cells[kind]!.filter(({ column }) => column === at).map(({ row }) => row);
      assert.equal(rows.length, of.length);
      for (const [place, row] of rows.entries()) {
        assert.ok(edges[row]! <= of[place]! + 1e-6 && of[place]! < edges[row + 1]! + 1e-6);
      }
    }
    const sorted = inside.map(([, seconds]) => seconds).sort((a, b) => a - b);
    assert.equal(found.p50_seconds[at], sorted[Math.round(0.5 * (sorted.length - 1))] ?? null);
    assert.equal(found.p95_seconds[at], sorted[Math.round(0.95 * (sorted.length - 1))] ?? null);
  }
  assert.ok(edges.slice(1).every((edge, row) => edge > edges[row]! && (edge < 1e-4 || edge < edges[row]! * 1.18)));
  assert.deepEqual(celled(answerOf([]), 30).row_edges_seconds, []);
});
