// Choices that this browser remembers. Where storage is closed (a private window), they last until the page is closed.

import { type Signal, signal } from '@preact/signals';

const PREFIX = 'runlake.';

/** What is kept under a name; null where nothing is. */
export function readStored(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Keeps a text under a name. */
export function writeStored(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It lasts until the page is closed.
  }
}

/** A signal whose value is kept under `name`; the first value of `known` is the default, and others are not taken. */
export function stored<T extends string>(name: string, known: readonly [T, ...T[]]): Signal<T> {
  const found = readStored(name);
  const kept = signal<T>(known.find((value) => value === found) ?? known[0]);
  let first = true;
  kept.subscribe((value) => {
    if (first) {
      first = false;
      return;
    }
    writeStored(name, value);
  });
  return kept;
}
