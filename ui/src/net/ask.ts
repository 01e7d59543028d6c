// One question to the API and its answer. What was answered before is asked for with its tag.

import type { Problem as ProblemBody, Routes } from '../api';
import { asking } from '../state/live';
import { encode } from '../state/url';
import { EVENTS, isLong, lastEvent, type Progress, type TakePart } from './parts';

export type Route = keyof Routes;
/** Parameters of a route; each may also be text, as it stands in an address. */
export type Asked<R extends Route> = {
  readonly [K in keyof Routes[R]['query']]?: Routes[R]['query'][K] | string | undefined;
};

export interface Answer<T> {
  body: T;
  /** The snapshot that the answer is of; null where a route has none. */
  snapshot: number | null;
  /** Milliseconds of the query in the service. */
  ms: number;
  /** When it came, or was confirmed. */
  at: number;
  /** The same by the clock of the service, to the second; null behind something that takes it away. */
  served: number | null;
  url: string;
}

/** The service refused a question, or could not answer it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string,
    readonly retryAfter: number | null,
    readonly fields: { field: string; message: string }[],
  ) {
    super(detail);
  }
}

/** No answer came: the service is gone, or the way to it. */
export class Unreachable extends Error {}

interface Kept {
  tag: string;
  answer: Answer<unknown>;
}

/** The newest snapshot that any answer was of; -1 before the first. */
export let newestSnapshot = -1;

/** The newest answers by their addresses, for 304. A body is kept as the same object: nothing is drawn again. */
const kept = new Map<string, Kept>();
const MOST_KEPT = 80;

/** The address of a question, without the host. */
export function addressOf<R extends Route>(
  route: R,
  query: Asked<R>,
  ids: Readonly<Record<string, string>> = {},
): string {
  const path = route.replace(/\{(\w+)\}/g, (_, name: string) => encode(ids[name] ?? ''));
  const given = Object.entries(query as Record<string, unknown>).filter(([, value]) => value !== undefined);
  return given.length ? `${path}?${given.map(([key, value]) => `${key}=${encode(String(value))}`).join('&')}` : path;
}

/** Asks a route. Throws Problem or Unreachable; an aborted question throws AbortError. */
export function ask<R extends Route>(
  route: R,
  query: Asked<R>,
  options: { ids?: Readonly<Record<string, string>>; signal?: AbortSignal } = {},
): Promise<Answer<Routes[R]['answer']>> {
  return askAddress<Routes[R]['answer']>(addressOf(route, query, options.ids), options.signal);
}

/** As `ask`, by address; `parse` reads the body, `take` what was found so far where that takes long. */
export async function askAddress<T>(
  url: string,
  signal: AbortSignal | null = null,
  parse: (text: string) => unknown = JSON.parse,
  take?: TakePart<T>,
): Promise<Answer<T>> {
  asking.value = asking.peek() + 1;
  try {
    const isRead = take && isLong(url);
    return await answered(url, signal, parse, isRead ? (data) => take(parse(data) as T & Progress) : undefined);
  } finally {
    asking.value -= 1;
  }
}

async function answered<T>(
  url: string,
  signal: AbortSignal | null,
  parse: (text: string) => unknown,
  take?: (data: string) => void,
): Promise<Answer<T>> {
  const known = kept.get(url);
  const headers: Record<string, string> = known ? { 'If-None-Match': known.tag } : {};
  if (take) headers['Accept'] = EVENTS;
  const response = await fetched(url, { headers, signal, cache: 'no-store' });
  if (response.status === 304 && known) return confirmed(url, known, response.headers) as Answer<T>;
  const text = await read(response, take);
  if (!response.ok) throw problemOf(response, text);
  const answer = { body: parse(text) as T, at: Date.now(), url, ...facts(response.headers) };
  const tag = response.headers.get('ETag');
  if (tag) keep(url, { tag, answer });
  return answer;
}

/** Asks for an address; throws Unreachable, or AbortError. */
export async function fetched(url: string, options: RequestInit): Promise<Response> {
  // A page that is left sees the new address before it is taken away: what it asks then, nobody waits for.
  await new Promise((resolve) => setTimeout(resolve));
  options.signal?.throwIfAborted();
  try {
    return await fetch(url, options);
  } catch (error) {
    throw gone(error);
  }
}

/** The body; of an answer in parts the last one. Throws the problem that is one. */
async function read(response: Response, take?: (data: string) => void): Promise<string> {
  try {
    if (!take || !response.headers.get('Content-Type')?.startsWith(EVENTS)) return await response.text();
    const [name, data] = await lastEvent(response.body!, take);
    if (name === 'error') throw problemOf(response, data);
    return data;
  } catch (error) {
    throw gone(error); // the connection broke within the body
  }
}

/** The error as it is thrown: the end of a question and a problem as they are, else Unreachable. */
export const gone = (error: unknown): unknown =>
  error instanceof Error && (error.name === 'AbortError' || error instanceof Problem || error instanceof Unreachable)
    ? error
    : new Unreachable(String(error));

function confirmed(url: string, known: Kept, headers: Headers): Answer<unknown> {
  known.answer.at = Date.now();
  known.answer.served = served(headers);
  keep(url, known);
  return known.answer;
}

function keep(url: string, found: Kept): void {
  kept.delete(url);
  kept.set(url, found);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
}

const served = (headers: Headers): number | null => Date.parse(headers.get('Date') ?? '') || null;

function facts(headers: Headers): Pick<Answer<unknown>, 'snapshot' | 'ms' | 'served'> {
  const given = headers.get('Runlake-Snapshot');
  const snapshot = given === null ? null : Number(given);
  newestSnapshot = Math.max(newestSnapshot, snapshot ?? -1);
  const timing = /dur=([\d.]+)/.exec(headers.get('Server-Timing') ?? '');
  return {
    snapshot,
    ms: timing ? Number(timing[1]) : 0,
    served: served(headers),
  };
}

/** The problem that an answer is; its body is `text`. */
export function problemOf(response: Response, text: string): Problem {
  let body: Partial<ProblemBody> = {};
  try {
    body = JSON.parse(text) as ProblemBody;
  } catch {
    // A proxy before the service answered.
  }
  const retry = Number(response.headers.get('Retry-After'));
  return new Problem(
    body.status ?? response.status,
    body.type ?? 'about:blank',
    body.title ?? `${response.status} ${response.statusText}`,
    body.detail ?? '',
    response.headers.get('X-Request-ID') ?? '',
    retry > 0 ? retry : null,
    body.errors ?? [],
  );
}
