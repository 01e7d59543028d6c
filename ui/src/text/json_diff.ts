// What is different between two JSON texts: values by their paths, compared as they stand in the texts.

import { type JsonIndex, jsonPath } from './json';

/** A value that is not the same on both sides; null on the side that does not have it. */
export interface Difference {
  path: string;
  one: string | null;
  other: string | null;
}

type Pair = [number | null, number | null];

/** The differences in the order of the texts, at most so many. An empty list: the same, but for the order of members. */
export function differences(one: JsonIndex, other: JsonIndex, most: number): Difference[] {
  const found: Difference[] = [];
  const tell = ([a, b]: Pair): void => {
    const path = a === null ? jsonPath(other, b!) : jsonPath(one, a);
    found.push({ path, one: a === null ? null : one.sourceOf(a), other: b === null ? null : other.sourceOf(b) });
  };
  const compare = (pair: Pair): void => {
    const [a, b] = pair;
    if (found.length >= most) return;
    if (a !== null && b !== null && one.sourceOf(a) === other.sourceOf(b)) return;
    const inner = pairsOf(one, a, other, b);
    if (inner) inner.forEach(compare);
    else tell(pair);
  };
  compare([0, 0]);
  return found;
}

/** The parts of two values, side by side; null where they are not both objects, or both arrays. */
function pairsOf(one: JsonIndex, a: number | null, other: JsonIndex, b: number | null): Pair[] | null {
  if (a === null || b === null || one.kindOf(a) !== other.kindOf(b)) return null;
  if (one.kindOf(a) === 'object') return byKey(one, a, other, b);
  return one.kindOf(a) === 'array' ? byPlace(one, a, other, b) : null;
}

function partsOf(index: JsonIndex, value: number): number[] {
  const parts: number[] = [];
  for (let at = value + 1; at < index.next[value]!; at = index.next[at]!) parts.push(at);
  return parts;
}

/** Members with equal keys; of keys that stand twice the first with the first. */
function byKey(one: JsonIndex, a: number, other: JsonIndex, b: number): Pair[] {
  const left = new Map<string, number[]>();
  for (const at of partsOf(other, b)) {
    const key = other.keyOf(at)!;
    left.set(key, [...(left.get(key) ?? []), at]);
  }
  const pairs: Pair[] = partsOf(one, a).map((at) => [at, left.get(one.keyOf(at)!)?.shift() ?? null]);
  return [...pairs, ...[...left.values()].flat().map((at): Pair => [null, at])];
}

/** Items by their places, but for those that are the same at the beginning and at the end. */
function byPlace(one: JsonIndex, a: number, other: JsonIndex, b: number): Pair[] {
  const [left, right] = [partsOf(one, a), partsOf(other, b)];
  const same = (at: number, place: number): boolean => one.sourceOf(left[at]!) === other.sourceOf(right[place]!);
  let [first, last] = [0, 0];
  const shorter = Math.min(left.length, right.length);
  while (first < shorter && same(first, first)) first++;
  while (last < shorter - first && same(left.length - 1 - last, right.length - 1 - last)) last++;
  const [mine, others] = [left.slice(first, left.length - last), right.slice(first, right.length - last)];
  return Array.from({ length: Math.max(mine.length, others.length) }, (_, at) => [
    mine[at] ?? null,
    others[at] ?? null,
  ]);
}
