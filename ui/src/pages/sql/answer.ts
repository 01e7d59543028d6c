// A query and its answer, in which no digit of a number is lost.

import type { SqlAnswer, SqlColumn, SqlQuery } from '../../api';
import { fetched, problemOf } from '../../net/ask';

/** What a cell shows; null is NULL. */
export type Cell = string | null;

export interface Result {
  query: string;
  columns: readonly SqlColumn[];
  rows: readonly (readonly Cell[])[];
  truncated: boolean;
  /** Milliseconds in the service. */
  ms: number;
  snapshot: number;
}

/** Formats of whole results: the type to ask for, and the end of the name of the file. */
export const FORMATS = [
  { name: 'CSV', type: 'text/csv', end: 'csv' },
  { name: 'Parquet', type: 'application/vnd.apache.parquet', end: 'parquet' },
  { name: 'Arrow', type: 'application/vnd.apache.arrow.stream', end: 'arrow' },
  { name: 'NDJSON', type: 'application/x-ndjson', end: 'ndjson' },
] as const;
export type Format = (typeof FORMATS)[number];

const MOST = 10_000; // rows that are shown
const LONGEST = 60; // seconds

/** The first rows of a query. Throws Problem, Unreachable, or AbortError. */
export async function resultOf(query: string, signal: AbortSignal): Promise<Result> {
  const text = await (await asked(query, 'application/json', signal)).text();
  const { columns, truncated, elapsed_ms: ms, snapshot } = JSON.parse(text) as SqlAnswer;
  const { rows } = JSON.parse(text, kept) as SqlAnswer; // the others are counted with: 704.0 ms has to stay a number
  return { query, columns, rows: rows.map((row) => row.map(shown)), truncated, ms, snapshot };
}

/** All rows of a query as a file. Throws as `resultOf`. */
export const fileOf = async (query: string, format: Format, signal: AbortSignal): Promise<Blob> =>
  await (await asked(query, format.type, signal)).blob();

async function asked(query: string, accept: string, signal: AbortSignal): Promise<Response> {
  const body: SqlQuery = { query, limit: MOST, timeout_seconds: LONGEST };
  const headers = { 'Content-Type': 'application/json', Accept: accept };
  const response = await fetched('/sql', { method: 'POST', headers, body: JSON.stringify(body), signal });
  if (!response.ok) throw problemOf(response, await response.text());
  return response;
}

const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };

/** A number that JavaScript would round stays the text that came. */
function kept(_: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value !== 'number' || !source || !rawJSON || String(value) === source ? value : rawJSON(source);
}

function shown(value: unknown): Cell {
  if (value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether values of a type of DuckDB are numbers. */
export const isNumber = (type: string): boolean =>
  /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL)/.test(type);

/** Whether they are times. */
export const isTime = (type: string): boolean => /^(TIMESTAMP|DATE$)/.test(type);
