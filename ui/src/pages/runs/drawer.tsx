// The marked run of the list, beside it. `j` and `k` go on to others, Enter opens its page, Escape closes it.

import type { JSX } from 'preact';
import { address, change, go, place } from '../../state/url';
import { loaded } from '../loaded';

const MarkedRun = loaded(async () => (await import('../others')).MarkedRun);

/** The run of the drawer; null while it is closed. */
export const marked = (): string | null => place.value.query['sel'] ?? null;

export const closeDrawer = (): void => change({ sel: undefined }, 'replace');

export function openMarked(): void {
  const id = place.peek().query['sel'];
  if (id) go(address(`/ui/runs/${id}`));
}

export function Drawer(): JSX.Element | null {
  return marked() === null ? null : <MarkedRun />;
}
