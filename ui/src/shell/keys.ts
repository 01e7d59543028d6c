// Single keys and short sequences. Nothing happens while somebody types, nor when they are switched off.

import { useEffect } from 'preact/hooks';
import { stored } from '../state/stored';

export interface Shortcut {
  /** As in "g r" or "?". */
  keys: string;
  does: string;
  run(): void;
}

/** Whether single keys do anything. */
export const singleKeys = stored('keys', ['on', 'off'] as const);

const groups: Shortcut[][] = [];
let typed = '';
let timer = 0;
const PAUSE = 1000; // milliseconds between the keys of a sequence

/** All shortcuts that work now, in the order in which they were added. */
export const shortcuts = (): Shortcut[] => groups.flat();

/** Adds shortcuts; returns what removes them. */
export function addShortcuts(added: Shortcut[]): () => void {
  groups.push(added);
  return () => void groups.splice(groups.indexOf(added), 1);
}

/** Shortcuts of a component, for as long as it is shown. */
export function useShortcuts(added: Shortcut[]): void {
  useEffect(() => addShortcuts(added), []);
}

/** Begins to listen. */
export function followKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isBusy(event)) return;
    typed = typed ? `${typed} ${event.key}` : event.key;
    clearTimeout(timer);
    const all = shortcuts();
    const found = all.findLast(({ keys }) => keys === typed) ?? all.findLast(({ keys }) => keys === event.key);
    if (found) {
      event.preventDefault();
      typed = '';
      found.run();
    } else if (all.some(({ keys }) => keys.startsWith(`${typed} `))) {
      timer = setTimeout(() => {
        typed = '';
      }, PAUSE) as unknown as number;
    } else {
      typed = '';
    }
  });
}

/** Whether a key belongs to something else: a field, a button that Enter presses, an open dialog. */
function isBusy(event: KeyboardEvent): boolean {
  if (singleKeys.value === 'off' || document.querySelector('dialog[open], .popover:popover-open')) return true;
  const target = event.composedPath()[0] as HTMLElement; // within a shadow root, too
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return event.key === 'Enter' && /^(A|BUTTON|SUMMARY|CANVAS)$/.test(target.tagName);
}
