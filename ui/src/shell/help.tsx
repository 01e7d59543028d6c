// All keyboard shortcuts, and the switch for them.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Dialog } from './dialog';
import { shortcuts, singleKeys } from './keys';

export const helpOpen = signal(false);

export function Help(): JSX.Element {
  return (
    <Dialog open={helpOpen} name="Keyboard shortcuts" class="help">
      <Shortcuts />
    </Dialog>
  );
}

function Shortcuts(): JSX.Element {
  return (
    <>
      <div class="row">
        <h2>Keyboard shortcuts</h2>
        <span class="grow" />
        <button
          type="button"
          onClick={() => {
            helpOpen.value = false;
          }}
        >
          Close
        </button>
      </div>
      <dl>
        <Item keys="⌘ K" does="Search; Ctrl K as well" />
        {shortcuts().map(({ keys, does }) => (
          <Item key={keys} keys={keys} does={does} />
        ))}
        <Item keys="← → ↑ ↓" does="In a chart: move" />
        <Item keys="⇧ →" does="In a chart: select" />
        <Item keys="↵" does="In a chart: zoom to what is selected" />
      </dl>
      <label class="row">
        <input
          type="checkbox"
          checked={singleKeys.value === 'on'}
          onChange={(event) => {
            singleKeys.value = event.currentTarget.checked ? 'on' : 'off';
          }}
        />
        Single keys do something
      </label>
    </>
  );
}

function Item({ keys, does }: { keys: string; does: string }): JSX.Element {
  return (
    <div>
      <dt>
        {keys.split(' ').map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  );
}
