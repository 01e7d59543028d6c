// Where the labels of an axis stand: round times of a zone, round numbers, round durations.

import { duration } from '../text/duration';
import { compact } from '../text/number';
import * as time from '../text/time';

export interface Tick {
  /** The time, the number or the duration. */
  at: number;
  text: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps below a day, in milliseconds; all divide a day. */
const SHORT = [1, 5, 15, 30]
  .map((n) => n * SECOND)
  .concat(
    [1, 5, 15, 30].map((n) => n * MINUTE),
    [1, 3, 6, 12].map((n) => n * HOUR),
  );
const DAYS = [1, 2, 7, 14];
const MONTHS = [1, 3, 6, 12, 24, 60, 120];

/** Ticks at round times of the zone, at most `most` of them. */
export function timeTicks(start: number, end: number, most: number, zone: string): Tick[] {
  const span = end - start;
  const short = SHORT.find((width) => span / width <= most);
  if (short) return shortTicks(start, end, short, zone);
  const days = DAYS.find((n) => span / (n * DAY) <= most);
  if (days) return dayTicks(start, end, days, zone);
  const months = MONTHS.find((n) => span / (n * 30 * DAY) <= most) ?? 240;
  return monthTicks(start, end, months, zone);
}

/** From midnight on in equal steps of the clock on the wall; a tick that a change of the clock doubles stands once. */
function shortTicks(start: number, end: number, width: number, zone: string): Tick[] {
  const ticks: Tick[] = [];
  const label = width < MINUTE ? time.seconds : time.clock;
  let date = dateOf(start, zone);
  for (;;) {
    const midnight = date.toZonedDateTime({ timeZone: zone }).epochMilliseconds;
    const next = date.add({ days: 1 });
    const tomorrow = next.toZonedDateTime({ timeZone: zone }).epochMilliseconds;
    const shift = tomorrow - midnight - DAY; // an hour less or more where the clock changes
    for (let wall = 0; wall < DAY; wall += width) {
      const at = shift ? atWall(date, wall, zone) : midnight + wall;
      const previous = ticks.at(-1);
      if (at > end) return ticks;
      if (at < start || (previous && at <= previous.at)) continue;
      ticks.push({ at, text: wall === 0 ? time.day(at, zone) : label(at, zone) });
    }
    date = next;
  }
}

const dateOf = (ms: number, zone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone).toPlainDate();

const atWall = (date: Temporal.PlainDate, wall: number, zone: string): number =>
  date.toPlainDateTime().add({ milliseconds: wall }).toZonedDateTime(zone).epochMilliseconds;

/** Every n-th day; weeks begin on Monday. */
function dayTicks(start: number, end: number, n: number, zone: string): Tick[] {
  const first = dateOf(start, zone);
  const since = Temporal.PlainDate.from('1970-01-05').until(first).days; // days since a Monday
  const ticks: Tick[] = [];
  for (let date = first.subtract({ days: ((since % n) + n) % n }); ; date = date.add({ days: n })) {
    const at = date.toZonedDateTime({ timeZone: zone }).epochMilliseconds;
    if (at > end) return ticks;
    if (at >= start) ticks.push({ at, text: time.day(at, zone) });
  }
}

function monthTicks(start: number, end: number, n: number, zone: string): Tick[] {
  const first = dateOf(start, zone);
  const months = first.year * 12 + first.month - 1;
  const aligned = months - (months % n);
  const ticks: Tick[] = [];
  const begin = Temporal.PlainDate.from({ year: Math.floor(aligned / 12), month: (aligned % 12) + 1, day: 1 });
  for (let date = begin; ; date = date.add({ months: n })) {
    const at = date.toZonedDateTime({ timeZone: zone }).epochMilliseconds;
    if (at > end) return ticks;
    if (at >= start) ticks.push({ at, text: time.month(at, zone) });
  }
}

/** Round numbers from 0 up to `greatest`, about `most` of them; whole numbers only. */
export function countTicks(greatest: number, most: number): Tick[] {
  const rough = Math.max(1, greatest / most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const width = [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough) ?? 10 * power;
  const ticks: Tick[] = [];
  for (let at = width; at <= greatest; at += width) ticks.push({ at, text: compact(at) });
  return ticks;
}

const ROUND = [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 10 * 86400, 100 * 86400];

/** Round durations between two, for an axis of logarithms. */
export const durationTicks = (low: number, high: number): Tick[] =>
  ROUND.filter((at) => at >= low && at <= high).map((at) => ({ at, text: short(at) }));

/** A round duration in one unit. */
function short(seconds: number): string {
  if (seconds < 60) return duration(seconds).replace(/\.0(?= )/, '');
  const [n, unit] =
    seconds < 3600 ? [seconds / 60, 'm'] : seconds < 86400 ? [seconds / 3600, 'h'] : [seconds / 86400, 'd'];
  return `${n} ${unit}`;
}
