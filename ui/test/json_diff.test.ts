import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonIndex } from '../src/text/json';
import { differences } from '../src/text/json_diff';

const between = (one: string, other: string, most = 100): string[] =>
  differences(new JsonIndex(one), new JsonIndex(other), most).map(
    (found) => `${found.path} ${found.one} ${found.other}`,
  );

test('equal values differ in nothing, whatever the order of their members', () => {
  assert.deepEqual(between('{"a":1,"b":[{"x":1,"y":2}]}', '{"b":[{"y":2,"x":1}],"a":1}'), []);
  assert.deepEqual(between('1', '1'), []);
});

test('each value that differs is found by its path', () => {
  assert.deepEqual(between('{"a":12345678901234567890}', '{"a":12345678901234567891}'), [
    '$.a 12345678901234567890 12345678901234567891',
  ]);
  assert.deepEqual(between('{"a":[1],"b":null}', '{"a":{"0":1},"c":false}'), [
    '$.a [1] {"0":1}',
    '$.b null null',
    '$.c null false',
  ]);
  assert.deepEqual(between('[1]', '{"a":1}'), ['$ [1] {"a":1}']);
});

test('an item that came between others is one difference', () => {
  assert.deepEqual(between('[1,2,3,4]', '[1,2,9,3,4]'), ['$[2] null 9']);
  assert.deepEqual(between('[1,1,1]', '[1,1]'), ['$[2] 1 null']);
  assert.deepEqual(between('[{"a":1},{"a":2},3]', '[{"a":1},{"a":5},3]'), ['$[1].a 2 5']);
});

test('of keys that stand twice the first is compared with the first', () => {
  assert.deepEqual(between('{"a":1,"a":2}', '{"a":1,"a":3}'), ['$.a 2 3']);
  assert.deepEqual(between('{"a":1,"a":2}', '{"a":1}'), ['$.a 2 null']);
});

test('no more than asked for', () => {
  const list = (n: number): string => JSON.stringify(Array.from({ length: 50 }, (_, at) => at + n));
  assert.equal(between(list(0), list(100), 7).length, 7);
});
