import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCurl, asSql } from '../src/text/copy';
import { everywhere, iso, isoOfMicros, micros, millis, span } from '../src/text/time';

test('quotes of the shell and of SQL', () => {
  assert.equal(asCurl("http://h/runs?error=it's", false), "curl -s 'http://h/runs?error=it'\\''s'");
  assert.ok(asSql({ lease_owner: "o'neill" }).includes("lease_owner = 'o''neill'"));
  assert.equal(asSql({}), 'SELECT *\nFROM runs\nORDER BY run_at DESC, id DESC');
});

test('microseconds', () => {
  for (const [text, whole] of [
    ['2026-10-25T06:00:05Z', '2026-10-25T06:00:05.000000Z'],
    ['2026-10-25T06:00:05.999999Z', '2026-10-25T06:00:05.999999Z'],
    ['1970-01-01T00:00:00.000001Z', '1970-01-01T00:00:00.000001Z'],
    ['9999-12-31T23:59:59.123456Z', '9999-12-31T23:59:59.123456Z'],
  ] as const)
    assert.equal(isoOfMicros(micros(text)), whole);
  assert.equal(isoOfMicros(micros('2026-10-25T06:00:05.999999Z') + 1), '2026-10-25T06:00:06.000000Z');
});

test('windows in words', () => {
  const at = millis;
  assert.equal(span(at('2026-10-25T00:00:00Z'), at('2026-10-26T00:00:00Z'), 'UTC'), 'Oct 25');
  assert.equal(span(at('2026-10-25T00:00:00Z'), at('2026-10-28T00:00:00Z'), 'UTC'), 'Oct 25 – Oct 27');
  assert.equal(span(at('2026-10-25T06:00:00Z'), at('2026-10-25T07:00:00Z'), 'UTC'), 'Oct 25, 06:00 – 07:00');
  assert.equal(
    span(at('2026-10-25T06:00:05Z'), at('2026-10-26T07:00:00Z'), 'UTC'),
    'Oct 25, 06:00:05 – Oct 26, 07:00:00',
  );
  assert.equal(iso(at('2026-10-25T06:00:05.120Z')), '2026-10-25T06:00:05.120Z');
  assert.equal(everywhere(0, 'UTC', 'UTC').split('\n').length, 1);
  assert.equal(everywhere(0, 'Asia/Kolkata', 'UTC').split('\n').length, 2);
});
