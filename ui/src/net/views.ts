// Views: screens that a team shares by name. The service keeps the query of each; `page` in it says which page it is of.

import { signal } from '@preact/signals';
import type { View } from '../api';
import { readStored, writeStored } from '../state/stored';
import { go, type Place, parseQuery, place, writeQuery } from '../state/url';
import { addressOf, ask, fetched, Problem, problemOf } from './ask';
import { Screen } from './screen';
import { keyNeeded } from './session';

/** All views, in the order of their names. */
export const views = new Screen().ask('/views', () => ({}));

/** The name of the view that this browser begins with, where the address asks for nothing else; empty without one. */
export const beginsWith = signal(readStored('view') ?? '');

export function beginWith(name: string): void {
  beginsWith.value = name;
  writeStored('view', name);
}

/** Shows that view; without an answer the Overview stays. */
export async function begin(): Promise<void> {
  try {
    const { body } = await ask('/views/{name}', {}, { ids: { name: beginsWith.value } });
    if (place.peek().path === '/') go(addressOfView(body), 'replace'); // who went on meanwhile stays there
  } catch (error) {
    if (error instanceof Problem && error.status === 404) beginWith('');
  }
}

const RUNS = '/ui/runs'; // the page of a view that names none

/** The query that shows a place, without the row that is marked there. */
export function queryOf({ path, query: { sel: _, ...query } }: Place): string {
  return writeQuery({ ...query, page: path }).slice(1);
}

/** The address of a view. */
export function addressOfView({ query }: View): string {
  const { page, ...rest } = parseQuery(query);
  return (page && /^\/(ui(\/|$)|$)/.test(page) ? page : RUNS) + writeQuery(rest);
}

/** Shares what is shown, in place of what has the name. Throws Problem and Unreachable. */
export const save = (name: string, query = queryOf(place.peek())): Promise<void> =>
  send(name, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) });

/** Forgets a view, for everybody. */
export const remove = (name: string): Promise<void> => send(name, { method: 'DELETE' });

async function send(name: string, options: RequestInit): Promise<void> {
  const response = await fetched(addressOf('/views/{name}', {}, { name }), options);
  const text = await response.text();
  if (response.status === 401) keyNeeded.value = true;
  if (!response.ok) throw problemOf(response, text);
  views.retry();
}
