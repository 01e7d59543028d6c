// The menu of shared views. What it holds comes with a script of its own, when it is first opened.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { loaded } from '../pages/loaded';
import { Popover } from '../parts/popover';

const List = loaded(async () => (await import('./views_list')).ViewsList);

export function ViewsMenu(): JSX.Element {
  const open = useSignal(false);
  return (
    <Popover
      label="★ views ▾"
      name="Views"
      class="views-button"
      toggled={(now) => {
        open.value = now;
      }}
    >
      <div class="stack views">{open.value && <List />}</div>
    </Popover>
  );
}
