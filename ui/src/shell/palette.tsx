// Search: pages, tasks by name, actions; a pasted id leads to its run, or to its task.

import { signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { PAGES } from '../messages';
import { ask, Problem } from '../net/ask';
import { namedTasks, refreshNames } from '../net/names';
import { toggleFailed } from '../state/filters';
import { toggleLive } from '../state/live';
import { nextTheme } from '../state/theme';
import { address, go } from '../state/url';
import { toggleWall } from '../state/wall';
import { Dialog } from './dialog';

export const paletteOpen = signal(false);

interface Item {
  kind: string;
  name: string;
  run(): void;
}

const MOST = 12;
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

const ACTIONS: Item[] = [
  { kind: 'action', name: 'Failed runs only', run: toggleFailed },
  { kind: 'action', name: 'Live on or off', run: toggleLive },
  { kind: 'action', name: 'Overview for a wall', run: toggleWall },
  { kind: 'action', name: 'Next theme', run: nextTheme },
];

/** What matches a text: names that begin with it first, then those that contain it. */
function found(text: string): Item[] {
  const wanted = text.trim().toLowerCase();
  if (UUID.test(wanted)) return [{ kind: 'id', name: wanted, run: () => void openId(wanted) }];
  const pages = PAGES.map(({ path, name }) => ({ kind: 'page', name, run: () => go(address(path)) }));
  const tasks = namedTasks.value.map(({ id, name }) => ({
    kind: 'task',
    name,
    run: () => go(address(`/ui/tasks/${id}`)),
  }));
  const byId = namedTasks.value
    .filter(({ id }) => wanted.length > 3 && id.startsWith(wanted))
    .map(({ id, name }) => ({ kind: 'task', name, run: () => go(address(`/ui/tasks/${id}`)) }));
  const all = [...pages, ...ACTIONS, ...tasks];
  const begins = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const contains = all.filter(
    ({ name }) => name.toLowerCase().includes(wanted) && !begins.some((item) => item.name === name),
  );
  return [...byId, ...begins, ...contains].slice(0, MOST);
}

/** Goes to the run of an id; where there is none, to the task. */
async function openId(id: string): Promise<void> {
  try {
    await ask('/runs/{run_id}', {}, { ids: { run_id: id } });
    go(address(`/ui/runs/${id}`));
  } catch (error) {
    // The page of the run says what is wrong, where it is something else.
    const isNone = error instanceof Problem && error.status === 404;
    go(address(isNone ? `/ui/tasks/${id}` : `/ui/runs/${id}`));
  }
}

export function Palette(): JSX.Element {
  return (
    <Dialog open={paletteOpen} name="Search" class="palette">
      <Search />
    </Dialog>
  );
}

function Search(): JSX.Element {
  const text = useSignal('');
  const at = useSignal(0);
  const items = found(text.value);
  const run = (item: Item | undefined): void => {
    if (!item) return;
    paletteOpen.value = false;
    item.run();
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) at.value = (at.value + step + items.length) % Math.max(1, items.length);
    else if (event.key === 'Enter') run(items[at.value]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        type="text"
        role="combobox"
        aria-label="Search pages, tasks and ids"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={items[at.value] ? `found-${at.value}` : undefined}
        autocomplete="off"
        placeholder="A page, a task, or the id of a run"
        onFocus={refreshNames}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={key}
      />
      <div id="found" role="listbox" aria-label="Found">
        {items.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus
          <div
            key={`${item.kind} ${item.name}`}
            id={`found-${index}`}
            role="option"
            aria-selected={index === at.value}
            onClick={() => run(item)}
          >
            <bdi>{item.name}</bdi> <span class="dim">{item.kind}</span>
          </div>
        ))}
      </div>
      {!items.length && <p class="dim">Nothing has this name.</p>}
    </>
  );
}
