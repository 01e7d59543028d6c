import assert from 'node:assert/strict';
import { test } from 'node:test';
import 'temporal-polyfill/global';
import { countTicks, durationTicks, timeTicks } from '../src/chart/ticks';

const ZONES = [
  'UTC',
  'Europe/Vienna',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
];
const MINUTE = 6e4;
const DAY = 864e5;

const wall = (ms: number, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);

test('ticks are ascending, inside, few, and at round times of the zone, also where clocks change', () => {
  // Around the days on which clocks change, and the day that Apia left out.
  const days = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2011-12-30'];
  const spans = [MINUTE, 10 * MINUTE, 90 * MINUTE, 6 * 60 * MINUTE, DAY, 3 * DAY, 10 * DAY, 45 * DAY, 400 * DAY];
  for (const zone of ZONES) {
    for (const day of days) {
      for (const span of spans) {
        const start = Date.parse(`${day}T07:13:21Z`) - span / 2;
        const ticks = timeTicks(start, start + span, 9, zone);
        const name = `${zone} ${day} ${span / MINUTE} m`;
        assert.ok(ticks.length <= 11, `${name}: ${ticks.length}`);
        assert.ok(ticks.length >= 1, name);
        for (const [at, tick] of ticks.entries()) {
          assert.ok(tick.at >= start && tick.at <= start + span, name);
          assert.ok(at === 0 || tick.at > ticks[at - 1]!.at, name);
          const { second, minute, hour } = wall(tick.at, zone);
          if (span >= DAY) assert.ok(second === 0 && minute % 15 === 0, `${name} ${tick.text}`);
          // Lord Howe moves its clock by half an hour: a tick may fall into the gap.
          if (span >= 10 * DAY) assert.ok(hour <= 1, `${name} ${tick.text} ${hour}`);
        }
      }
    }
  }
});

test('a day of 25 hours has its hour of the night once', () => {
  const start = Date.parse('2026-10-24T22:00:00Z');
  const ticks = timeTicks(start, start + 25 * 60 * MINUTE, 30, 'Europe/Vienna').map((tick) => tick.text);
  assert.deepEqual(ticks.slice(0, 5), ['Oct 25', '01:00', '02:00', '03:00', '04:00']);
  assert.equal(ticks.at(-1), 'Oct 26');
});

test('counts and durations', () => {
  assert.deepEqual(
    countTicks(2300, 3).map((tick) => tick.at),
    [1000, 2000],
  );
  assert.deepEqual(
    countTicks(1, 3).map((tick) => tick.at),
    [1],
  );
  assert.deepEqual(
    durationTicks(0.005, 4000).map((tick) => tick.text),
    ['10 ms', '100 ms', '1 s', '10 s', '1 m', '10 m', '1 h'],
  );
});
