import assert from 'node:assert/strict';
import { test } from 'node:test';
import 'temporal-polyfill/global';
import { between, doubled, parseRange, rangeQuery, resolve, shifted } from '../src/state/range';

const HOUR = 36e5;
const at = (text: string): number => Date.parse(text);
const NOW = at('2026-11-27T14:03:10Z');

function window(text: string, zone = 'UTC', now = NOW): [string, string] {
  const range = parseRange(text, zone);
  assert.ok(range, text);
  const { start, end } = resolve(range, now, zone);
  return [new Date(start).toISOString(), new Date(end).toISOString()];
}

test('typed ranges', () => {
  const cases: [string, string, string][] = [
    ['3h', '2026-11-27T11:03:10.000Z', '2026-11-27T14:03:10.000Z'],
    ['last 7 days', '2026-11-20T14:03:10.000Z', '2026-11-27T14:03:10.000Z'],
    ['Yesterday', '2026-11-26T00:00:00.000Z', '2026-11-27T00:00:00.000Z'],
    ['today', '2026-11-27T00:00:00.000Z', '2026-11-27T14:03:10.000Z'],
    ['since 06:00', '2026-11-27T06:00:00.000Z', '2026-11-27T14:03:10.000Z'],
    ['since 18:00', '2026-11-26T18:00:00.000Z', '2026-11-27T14:03:10.000Z'],
    ['2026-10-15..2026-10-16', '2026-10-15T00:00:00.000Z', '2026-10-17T00:00:00.000Z'],
    ['2026-10-15', '2026-10-15T00:00:00.000Z', '2026-10-16T00:00:00.000Z'],
    ['2026-10-15 06:00..2026-10-15 07:30', '2026-10-15T06:00:00.000Z', '2026-10-15T07:30:00.000Z'],
    ['2026-10-15T06:00+02:00..2026-10-15T07:00Z', '2026-10-15T04:00:00.000Z', '2026-10-15T07:00:00.000Z'],
  ];
  for (const [text, start, end] of cases) assert.deepEqual(window(text), [start, end], text);
  for (const wrong of ['', 'soon', '0h', '99999d', '2026-13-01', '2026-10-16..2026-10-15', 'since 25:00', 'a..b..c']) {
    assert.equal(parseRange(wrong, 'UTC'), null, wrong);
  }
});

test('days are those of the zone, of 23 and 25 hours where its clock changes', () => {
  const length = (day: string, zone: string): number => {
    const [start, end] = window(day, zone);
    return (at(end) - at(start)) / HOUR;
  };
  assert.equal(length('2026-03-29', 'Europe/Vienna'), 23);
  assert.equal(length('2026-10-25', 'Europe/Vienna'), 25);
  assert.equal(length('2026-10-25', 'Asia/Kolkata'), 24);
  assert.equal(window('2026-10-15', 'Asia/Kolkata')[0], '2026-10-14T18:30:00.000Z');
  assert.equal(window('2026-10-15', 'Asia/Kathmandu')[0], '2026-10-14T18:15:00.000Z');
});

test('a window moves by its length, and not beyond now', () => {
  const day = { start: NOW - 24 * HOUR, end: NOW };
  assert.deepEqual(shifted(day, -1, NOW), between(NOW - 48 * HOUR, NOW - 24 * HOUR));
  assert.deepEqual(shifted(day, 1, NOW), between(NOW - 24 * HOUR, NOW));
  assert.deepEqual(shifted({ start: NOW - 48 * HOUR, end: NOW - 24 * HOUR }, 1, NOW), between(NOW - 24 * HOUR, NOW));
});

test('twice as long: a range that moves on still does', () => {
  const range = parseRange('24h', 'UTC')!;
  const longer = doubled(range, resolve(range, NOW, 'UTC'), NOW);
  assert.deepEqual(rangeQuery(longer).range, '2d');
  assert.deepEqual(resolve(longer, NOW, 'UTC'), { start: NOW - 48 * HOUR, end: NOW });
  const past = between(NOW - 10 * HOUR, NOW - 8 * HOUR);
  assert.deepEqual(
    doubled(past, { start: NOW - 10 * HOUR, end: NOW - 8 * HOUR }, NOW),
    between(NOW - 11 * HOUR, NOW - 7 * HOUR),
  );
});
