import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asCurl, asSql } from '../src/text/copy';
import { parseExact, pretty } from '../src/text/json';
import { everywhere, iso, millis, span } from '../src/text/time';
import { headline, parseTrace } from '../src/text/trace';

const PYTHON = `Traceback (most recent call last):
  File "/app/worker/runner.py", line 212, in execute
    result = task.run(context)
             ^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
    raise JSONDecodeError("Expecting value", s, err.value)
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)`;
const CHAINED = `${PYTHON}\n\nDuring handling of the above exception, another exception occurred:\n\n${PYTHON.replace(/json\.decoder.*$/, 'ValueError: bad')}`;
const JAVA = `java.lang.RuntimeException: outer
\tat com.example.Task.run(Task.java:10)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/java.net.Socket.connect(Socket.java:633)
\tat com.example.Client.open(Client.java:42)
\t... 12 more`;
const NODE = `TypeError: Cannot read properties of undefined (reading 'id')
    at load (/app/src/orders.js:88:15)
    at async /app/src/main.js:3:1
    at node:internal/process/task_queues:95:5`;
const GO = `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.load(...)
\t/app/main.go:12
main.main()
\t/app/main.go:7 +0x1d
exit status 2`;

test('the headline of a trace, in every language', () => {
  assert.equal(headline(PYTHON), 'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)');
  assert.equal(headline(CHAINED), 'ValueError: bad');
  assert.equal(headline(JAVA), 'java.net.ConnectException: Connection refused');
  assert.equal(headline(NODE), "TypeError: Cannot read properties of undefined (reading 'id')");
  assert.equal(headline(GO), 'panic: runtime error: index out of range [5] with length 3');
  assert.equal(headline('\n\u001b[31mexit code 3\u001b[0m\nmore'), 'exit code 3');
  assert.equal(headline(''), '');
});

test('the frames of a trace, the outermost first', () => {
  const places = (text: string): string[] =>
    parseTrace(text).frames.map(
      ({ file, line, name, library }) => `${file}:${line} ${name}${library ? ' (library)' : ''}`,
    );
  assert.deepEqual(places(PYTHON), [
    '/app/worker/runner.py:212 execute',
    '/usr/lib/python3.11/json/decoder.py:355 raw_decode (library)',
  ]);
  assert.equal(parseTrace(PYTHON).frames[0]?.source, 'result = task.run(context)');
  assert.deepEqual(places(NODE), [
    'node:internal/process/task_queues:95  (library)',
    '/app/src/main.js:3 ',
    '/app/src/orders.js:88 load',
  ]);
  assert.deepEqual(places(JAVA), [
    'Client.java:42 com.example.Client.open',
    'Socket.java:633 java.base/java.net.Socket.connect (library)',
  ]);
  assert.deepEqual(places(GO), ['/app/main.go:7 main.main', '/app/main.go:12 main.load']);
});

test('a text without a trace is left alone, however long', () => {
  assert.deepEqual(parseTrace('disk full\n  at the end'), { headline: 'disk full', frames: [] });
  assert.equal(headline(`first\n${'x'.repeat(1 << 20)}`), 'first');
});

test('JSON is written as it was, as far as this engine shows the text', () => {
  const value = parseExact('{"a":[1,2.5,{"b":null}],"c":"<script>","e":[]}');
  assert.equal(
    pretty(value),
    '{\n  "a": [\n    1,\n    2.5,\n    {\n      "b": null\n    }\n  ],\n  "c": "<script>",\n  "e": []\n}',
  );
});

test('quotes of the shell and of SQL', () => {
  assert.equal(asCurl("http://h/runs?error=it's"), "curl -s 'http://h/runs?error=it'\\''s'");
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
