// The address is the state of the page: what one sees is what its link shows to others.

import { signal } from '@preact/signals';

export type Query = Readonly<Record<string, string>>;
/** Changes to a query; undefined removes a parameter. */
export type Change = Readonly<Record<string, string | undefined>>;

export interface Place {
  path: string;
  query: Query;
}

/** Parameters in the order in which they are written, so that equal states have equal links; others come after. */
const ORDER = [
  ...['range', 'start_time', 'end_time', 'tz'],
  ...['task_id', 'success', 'status', 'lease_owner', 'attempt_min', 'duration_min', 'duration_max'],
  ...['error', 'error_group', 'brush', 'against', 'order', 'sort', 'state', 'q', 'columns'],
  ...['group', 'folded', 'queued', 'marks', 'a', 'b', 'tv', 'sel'],
];
/** What a page shows of the window alone; a link to another page does not take it along. */
const OF_ONE_PAGE = new Set([
  'brush',
  'against',
  'order',
  'sort',
  'state',
  'q',
  'queued',
  'marks',
  'a',
  'b',
  'tv',
  'sel',
]);

/** The parameters of a query string; of repeated ones the last. */
export function parseQuery(search: string): Query {
  return Object.fromEntries(new URLSearchParams(search));
}

/** A query string with its question mark, in the order above; empty without parameters. */
export function writeQuery(query: Query): string {
  const others = Object.keys(query).filter((key) => !ORDER.includes(key));
  const keys = [...ORDER.filter((key) => key in query), ...others.sort()];
  return keys.length ? `?${keys.map((key) => `${encode(key)}=${encode(query[key]!)}`).join('&')}` : '';
}

/** Texts as one parameter, with commas between them. */
export const writeList = (texts: readonly string[]): string =>
  texts.map((text) => text.replace(/[%,]/g, encodeURIComponent)).join(',');

/** The texts of such a parameter. */
export const listOf = (parameter: string | undefined): string[] =>
  (parameter ?? '')
    .split(',')
    .filter(Boolean)
    .map((text) => text.replace(/%2[5C]/g, decodeURIComponent));

/** Percent-encoding that leaves what a query string may have as it is: `$`, `:`, `,` and `/` stay readable. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(24|3A|2C|2F|40)/g, (code) => decodeURIComponent(code));

const here = (): Place => ({ path: location.pathname, query: parseQuery(location.search) });

/** Where the page is. */
export const place = signal<Place>({ path: '/', query: {} });

/** Begins to follow the address of the browser: Back, Forward, and clicks on links to pages. */
export function followAddress(): void {
  place.value = here();
  addEventListener('popstate', () => {
    place.value = here();
  });
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a');
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.target || !isPage(link)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

const isPage = (link: HTMLAnchorElement): boolean =>
  link.origin === location.origin && (link.pathname === '/' || /^\/ui(\/|$)/.test(link.pathname));

/** Goes to an address of the page; `replace` leaves no step for Back. */
export function go(address: string, how: 'push' | 'replace' = 'push'): void {
  if (address === location.pathname + location.search) return;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', address);
  const before = place.peek().path;
  place.value = here();
  if (how === 'push' && before !== place.peek().path) scrollTo(0, 0);
}

/** The query with changes. */
export function changed(query: Query, change: Change): Query {
  const made: Record<string, string> = { ...query };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete made[key];
    else made[key] = value;
  }
  return made;
}

/** Changes parameters of the current page. */
export function change(parameters: Change, how: 'push' | 'replace' = 'push'): void {
  const { path, query } = place.peek();
  go(path + writeQuery(changed(query, parameters)), how);
}

/** The address of a page with the window, the zone and the filters of this one. */
export function address(path: string, parameters: Change = {}): string {
  const kept = Object.entries(place.value.query).filter(([key]) => !OF_ONE_PAGE.has(key));
  return path + writeQuery(changed(Object.fromEntries(kept), parameters));
}
