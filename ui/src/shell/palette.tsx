// Search: pages, tasks by name or by the first digits of their ids, actions; a whole id leads to its run, or to its task.

import { signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Uuid } from '../api';
import { PAGES } from '../messages';
import { ask, Problem } from '../net/ask';
import { isNamed, namedTasks, refreshNames, taskName } from '../net/names';
import { toggleFailed } from '../state/filters';
import { toggleLive } from '../state/live';
import { nextTheme } from '../state/theme';
import { address, go } from '../state/url';
import { toggleWall } from '../state/wall';
import { asParameters, step } from '../state/window';
import { Dialog } from './dialog';

export const paletteOpen = signal(false);

interface Item {
  kind: string;
  name: string;
  run(): void;
}

const MOST = 12;
const FEWEST = 4; // digits of an id: fewer are those of too many tasks
const YEAR = 365 * 864e5;
const PAUSE = 150; // milliseconds after the last key
const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

const ACTIONS: Item[] = [
  { kind: 'action', name: 'Failed runs only', run: toggleFailed },
  { kind: 'action', name: 'Live on or off', run: toggleLive },
  { kind: 'action', name: 'Overview for a wall', run: toggleWall },
  { kind: 'action', name: 'Next theme', run: nextTheme },
];

const itemOf = (id: Uuid): Item => ({
  kind: isNamed(id) ? `task ${id.slice(0, 8)}` : 'task',
  name: isNamed(id) ? taskName(id) : id,
  run: () => go(address(`/ui/tasks/${id}`)),
});

/** What matches a text: names that begin with it first, then those that contain it. */
function found(wanted: string): Item[] {
  if (UUID.test(wanted)) return [{ kind: 'id', name: wanted, run: () => void openId(wanted) }];
  const pages = PAGES.map(({ path, name }) => ({ kind: 'page', name, run: () => go(address(path)) }));
  const all = [...pages, ...ACTIONS, ...namedTasks.value.map(({ id }) => itemOf(id))];
  const begins = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const contains = all.filter(
    ({ name }) => name.toLowerCase().includes(wanted) && !begins.some((item) => item.name === name),
  );
  return [...begins, ...contains];
}

/** The digits of an id that a text begins with, and the dashes between them; null for other text. */
function digitsOf(wanted: string): string | null {
  const digits = /^[0-9a-f-]+$/.test(wanted) ? wanted.replaceAll('-', '') : '';
  if (digits.length < FEWEST || digits.length > 31) return null;
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)];
  return parts.filter(Boolean).join('-');
}

/** Tasks that ran in the last year, and whose ids begin with some digits; most of them have no names. */
async function tasksOf(digits: string, signal: AbortSignal): Promise<Item[]> {
  const window = asParameters({ start: step() - YEAR, end: step() });
  const few = { measures: 'runs', compare: 'none', spark: 0, sort: 'task_id', order: 'asc', limit: 1000 } as const;
  const { body } = await ask('/stats/tasks', { ...window, ...few, q: digits }, { signal });
  return body.columns.task_id.filter((id) => id.startsWith(digits)).map(itemOf);
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
  const wanted = text.value.trim().toLowerCase();
  const digits = digitsOf(wanted);
  const byId = useById(digits);
  const items = [...(byId ?? []), ...found(wanted)].slice(0, MOST);
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
      {!items.length && <p class="dim">{byId ? 'Nothing has this name.' : 'Looking for tasks…'}</p>}
    </>
  );
}

/** The tasks whose ids begin with some digits; null until they are known. */
function useById(digits: string | null): Item[] | null {
  const known = useSignal<{ digits: string; items: Item[] } | null>(null);
  useEffect(() => {
    if (digits === null) return;
    const under = new AbortController();
    const take = (items: Item[]): void => {
      if (!under.signal.aborted) known.value = { digits, items };
    };
    const timer = setTimeout(() => {
      tasksOf(digits, under.signal).then(take, () => take([]));
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      under.abort();
    };
  }, [digits]);
  if (digits === null) return [];
  return known.value?.digits === digits ? known.value.items : null;
}
