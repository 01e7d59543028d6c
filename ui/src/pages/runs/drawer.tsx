// The marked run of the list, beside it. `j` and `k` go on to others, Enter opens its page, Escape closes it.

import type { JSX } from 'preact';
import { useShortcuts } from '../../shell/keys';
import { address, change, go, place } from '../../state/url';
import { loaded } from '../loaded';
import { select, useSelectionKeys } from './selection';

const MarkedRun = loaded(async () => (await import('../others')).MarkedRun);

/** The run of the drawer; null while it is closed. */
export const marked = (): string | null => place.value.query['sel'] ?? null;

export const closeDrawer = (): void => change({ sel: undefined }, 'replace');

function openMarked(): void {
  const id = place.peek().query['sel'];
  if (id) go(address(`/ui/runs/${id}`));
}

/** What was opened last goes first. */
function close(): void {
  if (place.peek().query['sel']) closeDrawer();
  else select(null);
}

/** The keys of a page with charts and a list of runs. */
export function useListKeys(): void {
  useSelectionKeys(close, 'Close the marked run, or remove the selection');
  useShortcuts([{ keys: 'Enter', does: 'Open the page of the marked run', run: openMarked }]);
}

export function Drawer(): JSX.Element | null {
  return marked() === null ? null : <MarkedRun />;
}
