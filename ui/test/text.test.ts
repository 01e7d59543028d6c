import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCurl, asSql } from '../src/text/copy';
import { everywhere, iso, millis, span } from '../src/text/time';

test('quotes of the shell and of SQL', () => {
  assert.equal(asCurl("http://h/runs?error=it's", false), "curl -s 'http://h/runs?error=it'\\''s'");
  assert.ok(asSql({ lease_owner: "o'neill" }).includes("lease_owner = 'o''neill'"));
  assert.equal(asSql({}), 'SELECT *\nFROM runs\nORDER BY run_at DESC, id DESC');
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
