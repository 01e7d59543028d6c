// Arrays of objects within JSON as tables: a row an item, a column a key.

import type { JsonIndex } from './json';

/** The arrays of objects that can stand as a table: the whole, or members of the whole. */
export function tablesOf(index: JsonIndex): number[] {
  if (isTable(index, 0)) return [0];
  if (index.kindOf(0) !== 'object') return [];
  const found: number[] = [];
  for (let at = 1; at < index.count; at = index.next[at]!) if (isTable(index, at)) found.push(at);
  return found;
}

function isTable(index: JsonIndex, value: number): boolean {
  if (index.kindOf(value) !== 'array' || !index.size[value]) return false;
  for (let at = value + 1; at < index.next[value]!; at = index.next[at]!) {
    if (index.kindOf(at) !== 'object') return false;
  }
  return true;
}

export interface JsonRows {
  /** All keys of the items, in the order in which they first appear. */
  keys: string[];
  /** The values of each item by its key; of keys that stand twice the first. */
  rows: Map<string, number>[];
}

/** The rows of an array of objects. */
export function rowsOf(index: JsonIndex, array: number): JsonRows {
  const keys = new Set<string>();
  const rows: JsonRows['rows'] = [];
  for (let item = array + 1; item < index.next[array]!; item = index.next[item]!) {
    const row = new Map<string, number>();
    for (let at = item + 1; at < index.next[item]!; at = index.next[at]!) {
      const key = index.keyOf(at)!;
      keys.add(key);
      if (!row.has(key)) row.set(key, at);
    }
    rows.push(row);
  }
  return { keys: [...keys], rows };
}
