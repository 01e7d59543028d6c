// JSON as it is stored: numbers keep all their digits.

/** A number that JavaScript cannot hold as it stands in the text. */
export class ExactNumber {
  constructor(readonly source: string) {}
  toString(): string {
    return this.source;
  }
}

export type Json = null | boolean | number | string | ExactNumber | Json[] | { [key: string]: Json };

/** Parses JSON. A number that would change is an ExactNumber; where the browser hides the text, it is a number. */
export function parseExact(text: string): Json {
  const keep = (_: string, value: Json, context?: { source?: string }): Json => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source
      ? new ExactNumber(source)
      : value;
  };
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown) as Json;
}

/** Writes JSON with two spaces a level, and numbers as they were. */
export function pretty(value: Json, indent = ''): string {
  if (value instanceof ExactNumber) return value.source;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => pretty(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return parts.length ? `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}` : `${open}${close}`;
}
