import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listOf, writeList } from '../src/state/url';
import { JsonIndex, jsonPath } from '../src/text/json';
import { stepsOf, typedPath, valueAt } from '../src/text/json_path';

test('the path of each value leads to it', () => {
  const text = '{"rows":3,"a b":[{"it\'s/~":null,"c,d":[[7]]}],"10":{"x":1},"":2,"/":[0,{"y":"z"}],"a.b":4}';
  const index = new JsonIndex(text);
  for (let value = 0; value < index.count; value++) {
    const path = jsonPath(index, value);
    assert.equal(valueAt(index, stepsOf(path)!), value, path);
    assert.deepEqual(listOf(writeList([path, 'x', path])), [path, 'x', path]);
  }
});

test('of equal keys the first counts, and what is not there is nothing', () => {
  const index = new JsonIndex('{"a":1,"a":2,"list":[5]}');
  assert.equal(index.sourceOf(valueAt(index, stepsOf('$.a')!)!), '1');
  assert.equal(index.sourceOf(valueAt(index, stepsOf('/list/0')!)!), '5');
  for (const path of ['$.b', '$.a.b', '$.list[1]', '$.list.x', '$[0]', '/list/00x'])
    assert.equal(valueAt(index, stepsOf(path)!), null, path);
});

test('typed paths', () => {
  for (const typed of ['rows', '.rows', '$.rows', 'output.rows', ' output.$.rows '])
    assert.equal(typedPath(typed), '$.rows');
  assert.equal(typedPath('[0].x'), '$[0].x');
  assert.equal(typedPath('/a b/0'), '/a b/0');
  for (const typed of ['', ' ', 'a b', '$rows', '$.a[', '$..a', '$.a[-1]']) assert.equal(typedPath(typed), null, typed);
});
