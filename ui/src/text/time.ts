// Times as text, in any zone. A time is milliseconds since 1970, or an ISO text of the API.

import type { Timestamp } from '../api';
import { duration } from './duration';
import { LOCALE } from './number';

/** Formats are slow to make and quick to use: one for each zone and pattern is kept. */
const made = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name} ${zone}`;
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hourCycle: 'h23', ...options });
    made.set(key, found);
  }
  return found;
}

const CLOCK = { hour: '2-digit', minute: '2-digit' } as const;
const DAY = { month: 'short', day: 'numeric' } as const;

/** Milliseconds of an ISO text; digits beyond milliseconds are cut off. */
export const millis = (text: Timestamp): number => Date.parse(text);

/** An ISO text of the API for a time: without a fraction when it is zero. */
export const iso = (ms: number): Timestamp => new Date(ms).toISOString().replace('.000Z', 'Z');

/** Microseconds of an ISO text, which times are stored to. */
export const micros = (text: Timestamp): number =>
  Math.floor(millis(text) / 1000) * 1e6 + Number((/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(6, '0'));

/** The same as an ISO text. */
export const isoOfMicros = (at: number): Timestamp =>
  iso(Math.floor(at / 1e6) * 1000).replace('Z', `.${String(at % 1e6).padStart(6, '0')}Z`);

export const clock = (ms: number, zone: string): string => format(zone, 'clock', CLOCK).format(ms);
export const day = (ms: number, zone: string): string => format(zone, 'day', DAY).format(ms);
export const month = (ms: number, zone: string): string =>
  format(zone, 'month', { month: 'short', year: 'numeric' }).format(ms);
export const seconds = (ms: number, zone: string): string =>
  format(zone, 'seconds', { ...CLOCK, second: '2-digit' }).format(ms);

/** The offset from UTC behind a time that a clock which is set back shows twice; nothing behind others. */
function offset(ms: number, zone: string): string {
  if (zone === 'UTC') return '';
  const shown = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
  const wall = shown.toPlainDateTime();
  const at = (disambiguation: 'earlier' | 'later'): number =>
    wall.toZonedDateTime(zone, { disambiguation }).epochMilliseconds;
  return at('earlier') === at('later') ? '' : ` ${shown.offset}`;
}

/** Day and time for a list: Nov 27, 14:02:57. */
export const moment = (ms: number, zone: string): string =>
  format(zone, 'moment', { ...DAY, ...CLOCK, second: '2-digit' }).format(ms) + offset(ms, zone);

/** Day and time to the minute: Nov 27, 14:02. */
export const minute = (ms: number, zone: string): string =>
  format(zone, 'minute', { ...DAY, ...CLOCK }).format(ms) + offset(ms, zone);

/** The whole time with its zone: 2026-11-27 14:02:57 UTC. */
export function full(ms: number, zone: string): string {
  const options = { year: 'numeric', month: '2-digit', day: '2-digit', ...CLOCK, second: '2-digit' } as const;
  const parts = format(zone, 'full', { ...options, timeZoneName: 'short' }).formatToParts(ms);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '';
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  return `${part('year')}-${part('month')}-${part('day')} ${time} ${part('timeZoneName')}`;
}

/** The same time in the chosen zone, in UTC, and in the zone of the browser, each once. */
export function everywhere(ms: number, zone: string, browser: string): string {
  return [...new Set([zone, 'UTC', browser].map((name) => full(ms, name)))].join('\n');
}

/** How long ago: 2 h 05 m ago, but 14 h ago: of ten hours, nobody counts the minutes. */
export const ago = (ms: number, now: number): string =>
  now - ms < 1000 ? 'now' : `${duration((now - ms) / 1000).replace(/^(\d\d+ \w) .*/, '$1')} ago`;

/** A window as text: its days and times, the second day only where it is another one. */
export function span(start: number, end: number, zone: string): string {
  const whole = clock(start, zone) === '00:00' && clock(end, zone) === '00:00';
  if (whole && end - start > 36e5) {
    const [first, last] = [day(start, zone), day(end - 1, zone)];
    return first === last ? first : `${first} – ${last}`;
  }
  const exact = start % 60_000 || end % 60_000;
  const [long, time] = exact ? [moment, seconds] : [minute, clock];
  const same = day(start, zone) === day(end, zone);
  return `${long(start, zone)} – ${same ? time(end, zone) + offset(end, zone) : long(end, zone)}`;
}
