import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headline, parseTrace, type Thrown } from '../src/text/trace';

const CORPUS = join(process.cwd(), '../tests/helpers/errors');
const MARKS: Record<string, string> = { n: '17', esc: '\u001b', cr: '\r', dir: '/srv/app/', windir: 'C:\\app\\' };

interface Entry {
  name: string;
  kind: string;
  frame: string;
  texts: string[];
}

/** The error texts that the groups of errors are tested with. */
function corpus(): Entry[] {
  const files = readdirSync(CORPUS).map((name) => readFileSync(join(CORPUS, name), 'utf8'));
  return files.flatMap((file) =>
    file
      .split(/^=== /m)
      .slice(1)
      .map((block) => {
        const [head = '', ...texts] = block.split(/^%%%.*\n/m);
        const part = (key: string): string => new RegExp(`^${key}: ?(.*)$`, 'm').exec(head)?.[1] ?? '';
        const filled = texts.map((text) => text.replace(/«(\w+)»/g, (_, name: string) => MARKS[name] ?? 'a1'));
        return { name: head.split('\n')[0]!, kind: part('kind'), frame: part('frame'), texts: filled };
      }),
  );
}

const TRACES = /^(?: *\+ Exception Group )?Traceback \(most|^\s+at \S+.*[:(]|^goroutine \d+ \[/m;

test('every trace of the corpus is taken apart, and nothing of it is lost', () => {
  let traces = 0;
  for (const { name, kind, frame, texts } of corpus()) {
    for (const text of texts) {
      const trace = parseTrace(text);
      if (!TRACES.test(text)) continue;
      traces++;
      const all: Thrown[] = [trace, ...trace.causes];
      assert.ok(all.some(({ frames }) => frames.length) || /goroutine/.test(text), `${name}: no frames of ${text}`);
      const said = all.map((thrown) => [thrown.headline, ...thrown.notes].join('\n')).join('\n');
      const plainKind = kind.replace(/<n>/g, '');
      assert.ok(!kind || said.includes(plainKind) || kind !== plainKind, `${name}: ${kind} is not in ${said}`);
      const [file = '', call = ''] = frame.split(' ');
      const own = all.flatMap(({ frames }) => frames).filter(({ library }) => !library);
      const found = own.some((at) => at.file.endsWith(file) && at.name === call);
      assert.ok(!frame || frame.includes('<n>') || found, `${name}: ${frame} is not an own frame`);
    }
  }
  assert.ok(traces > 40, `${traces} traces`);
});

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

const places = ({ frames }: Thrown): string[] =>
  frames.map(({ file, line, name, library }) => `${file}:${line} ${name}${library ? ' (library)' : ''}`);

test('the frames of a trace, the outermost first', () => {
  assert.deepEqual(places(parseTrace(PYTHON)), [
    '/app/worker/runner.py:212 execute',
    '/usr/lib/python3.11/json/decoder.py:355 raw_decode (library)',
  ]);
  assert.equal(parseTrace(PYTHON).frames[0]?.source, 'result = task.run(context)');
  assert.deepEqual(places(parseTrace(NODE)), [
    'node:internal/process/task_queues:95  (library)',
    '/app/src/main.js:3 ',
    '/app/src/orders.js:88 load',
  ]);
  assert.deepEqual(places(parseTrace(JAVA)), [
    'Client.java:42 com.example.Client.open',
    'Socket.java:633 java.base/java.net.Socket.connect (library)',
  ]);
  assert.deepEqual(places(parseTrace(GO)), ['/app/main.go:7 main.main', '/app/main.go:12 main.load']);
});

test('exceptions that led to one another', () => {
  const { causes } = parseTrace(CHAINED);
  assert.deepEqual(
    causes.map(({ headline: text, relation }) => [text, relation]),
    [['json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)', 'while handling']],
  );
  const java = parseTrace(JAVA);
  assert.deepEqual(
    java.causes.map(({ headline: text }) => text),
    ['java.lang.RuntimeException: outer'],
  );
});

test('a text without a trace is left alone, however long', () => {
  assert.deepEqual(parseTrace('disk full\n  at the end').frames, []);
  assert.equal(headline(`first\n${'x'.repeat(1 << 20)}`), 'first');
});
