import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find, JsonIndex, openRows, opensAtFirst, pretty, sqlPath, takeOut, visible } from '../src/text/json';

/** A seeded generator of JSON texts. */
function generator(seed: number): () => string {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const STRINGS = ['', 'a', 'x"y', '\\', 'ключ', '😀', 'a\nb', '{"', '}]', 'a:b,c', '__proto__', '10'];
  const NUMBERS = ['0', '-1', '12345678901234567890', '1.0', '1e400', '-0.0', '0.1'];
  const make = (depth: number): string => {
    const kind = random(depth > 4 ? 3 : 5);
    if (kind === 0) return NUMBERS[random(NUMBERS.length)]!;
    if (kind === 1) return JSON.stringify(STRINGS[random(STRINGS.length)]);
    if (kind === 2) return ['true', 'false', 'null'][random(3)]!;
    const parts = Array.from({ length: random(5) }, () => make(depth + 1));
    if (kind === 3) return `[${parts.join(',')}]`;
    return `{${parts.map((part) => `${JSON.stringify(STRINGS[random(STRINGS.length)])}:${part}`).join(',')}}`;
  };
  return () => make(0);
}

/** Writes the text again from the list of its values. */
function written(index: JsonIndex, value = 0): string {
  const kind = index.kindOf(value);
  if (kind !== 'object' && kind !== 'array') return index.sourceOf(value);
  const parts: string[] = [];
  for (let at = value + 1; at < index.next[value]!; at = index.next[at]!) {
    assert.equal(index.parent[at], value);
    assert.equal(index.place[at], parts.length);
    const key = index.keyOf(at);
    parts.push((key === null ? '' : `${JSON.stringify(key)}:`) + written(index, at));
  }
  assert.equal(index.size[value], parts.length);
  return kind === 'object' ? `{${parts.join(',')}}` : `[${parts.join(',')}]`;
}

test('every value is found where it stands, with its keys, twice the same one included', () => {
  const next = generator(7);
  for (let n = 0; n < 2000; n++) {
    const text = next();
    const index = new JsonIndex(text);
    assert.equal(written(index), text);
    assert.equal(written(new JsonIndex(pretty(text))), text);
    if (!/:.*"(\w*)":.*"\1":|__proto__|1e400|-0\.0/.test(text)) {
      assert.equal(pretty(JSON.stringify(JSON.parse(text))), JSON.stringify(JSON.parse(text), null, 2));
    }
  }
});

test('numbers keep their digits, and keys their order', () => {
  const text = '{"10":12345678901234567890,"2":1.0,"2":1e400}';
  assert.equal(pretty(text), '{\n  "10": 12345678901234567890,\n  "2": 1.0,\n  "2": 1e400\n}');
  const record = (output: string): string => `{"id":"output","output":${output},"error":null}`;
  assert.deepEqual(takeOut(record(text), 'output'), { value: text, rest: record('null') });
  const inner = '{"id":"x","inner":{"output":1}}';
  assert.deepEqual(takeOut(inner, 'output'), { value: null, rest: inner });
});

test('a depth of 100, and a megabyte', () => {
  const deep = `${'[{"a":'.repeat(50)}1${'}]'.repeat(50)}`;
  const index = new JsonIndex(deep);
  assert.equal(index.depth[index.count - 1], 100);
  assert.equal(written(index), deep);
  const wide = JSON.stringify(Array.from({ length: 524_287 }, () => 1));
  const begin = performance.now();
  assert.equal(new JsonIndex(wide).count, 524_288);
  const took = performance.now() - begin;
  assert.ok(took < 1000, `${took} ms`);
});

test('rows are those whose parents are open', () => {
  const index = new JsonIndex(`{"a":{"b":[1,2]},"many":[${Array(201).fill(0).join(',')}],"c":3}`);
  const rows = openRows(index, (value) => opensAtFirst(index, value));
  assert.deepEqual(
    rows.map((row) => index.keyOf(row)),
    [null, 'a', 'b', 'many', 'c'],
  );
  assert.equal(openRows(index, () => true).length, index.count);
});

test('texts are found in keys and values, not in what is between them', () => {
  const index = new JsonIndex('{"Rows":[{"name":"a,b"},"İ \\n"],"x":"rows"}');
  const names = (wanted: string): (string | null)[] => find(index, wanted, 100).map((value) => index.keyOf(value));
  assert.deepEqual(names('Rows'), ['Rows']);
  assert.deepEqual(names(','), ['name']);
  assert.deepEqual(names('\n'), [null]);
  assert.deepEqual(names('":'), []);
  assert.deepEqual(find(new JsonIndex('["ROWS","rows"]'), 'Rows', 100).length, 2);
});

test('the way to a value in SQL', () => {
  const index = new JsonIndex('{"rows":[{"a b":1},{"it\'s/~":2}],"n":1}');
  const paths = Array.from({ length: index.count }, (_, value) => sqlPath(index, value));
  assert.deepEqual(paths, [
    'output',
    "output->>'$.rows'",
    "output->>'$.rows[0]'",
    "output->>'/rows/0/a b'",
    "output->>'$.rows[1]'",
    "output->>'/rows/1/it''s~1~0'",
    "output->>'$.n'",
  ]);
});

test('what cannot be seen is an escape', () => {
  assert.equal(visible('a\nb\u0000'), 'a\\nb\\u0000');
  assert.equal(visible('\ud800 😀'), '\\ud800 😀');
});
