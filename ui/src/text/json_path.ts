// Ways to a value of JSON, as DuckDB has them: `$.stages[0].name`, and `/a b/0` for keys that these cannot hold.

import type { JsonIndex } from './json';

export type Steps = readonly (string | number)[];

/** The steps of a path; null for what is none. */
export function stepsOf(path: string): Steps | null {
  if (path.startsWith('/')) {
    return path
      .slice(1)
      .split('/')
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  }
  if (!path.startsWith('$')) return null;
  const steps: (string | number)[] = [];
  const step = /\.([A-Za-z_]\w*)|\[(\d+)\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (!found) return null;
    steps.push(found[1] ?? Number(found[2]));
  }
  return steps;
}

/** A path from what somebody typed: `rows`, `.rows`, `output.$.rows`; null when it cannot be one. */
export function typedPath(typed: string): string | null {
  const text = typed.trim().replace(/^output\.?/, '');
  const path = /^[$/]/.test(text) ? text : `$${/^[.[]/.test(text) ? '' : '.'}${text}`;
  return text && stepsOf(path) ? path : null;
}

/** The value that steps lead to; null where there is none. Of keys that stand twice the first counts, as in DuckDB. */
export function valueAt(index: JsonIndex, steps: Steps): number | null {
  let value = 0;
  for (const step of steps) {
    const found = memberOf(index, value, step);
    if (found === null) return null;
    value = found;
  }
  return value;
}

/** The member of an object with a key, or of an array with a place. */
export function memberOf(index: JsonIndex, value: number, step: string | number): number | null {
  const isArray = index.kindOf(value) === 'array';
  if (typeof step === 'number' && !isArray) return null;
  const place = isArray && /^\d+$/.test(String(step)) ? Number(step) : -1;
  for (let at = value + 1; at < index.next[value]!; at = index.next[at]!) {
    if (isArray ? index.place[at] === place : index.keyOf(at) === step) return at;
  }
  return null;
}
