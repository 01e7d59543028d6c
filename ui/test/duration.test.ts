import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, parseDuration } from '../src/text/duration';
import { percent } from '../src/text/number';

test('durations have at most two units', () => {
  const cases: [number, string][] = [
    [0, '0 s'],
    [0.000008, '8 µs'],
    [0.0021, '2.1 ms'],
    [0.2964, '296 ms'],
    [0.9996, '1.0 s'],
    [1.94, '1.9 s'],
    [59.4, '59 s'],
    [59.6, '1 m'],
    [72.4, '1 m 12 s'],
    [3599.6, '1 h'],
    [7500, '2 h 05 m'],
    [86_400, '1 d'],
    [86_400 * 3 + 3600 * 4, '3 d 04 h'],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text, String(seconds));
});

test('a longer duration is never written as a shorter one', () => {
  let before = -1;
  for (let seconds = 0.00001; seconds < 1e7; seconds *= 1.013) {
    const read = parseDuration(duration(seconds));
    assert.notEqual(read, null);
    assert.ok(read! >= before, `${seconds}: ${duration(seconds)}`);
    assert.ok(Math.abs(read! - seconds) <= 0.07 * seconds, duration(seconds));
    before = read!;
  }
});

test('typed durations', () => {
  assert.equal(parseDuration('90'), 90);
  assert.equal(parseDuration('1.5h'), 5400);
  assert.equal(parseDuration('1 m 30 s'), 90);
  assert.equal(parseDuration('250ms'), 0.25);
  for (const wrong of ['', 'soon', '5 x', '1h soon', '-3']) assert.equal(parseDuration(wrong), null, wrong);
});

test('a share is whole only when it is', () => {
  assert.equal(percent(0), '0 %');
  assert.equal(percent(1), '100 %');
  assert.equal(percent(0.9474), '94.74 %');
  assert.equal(percent(0.999999), '99.9999 %');
  assert.notEqual(percent(0.00001), '0 %');
});
