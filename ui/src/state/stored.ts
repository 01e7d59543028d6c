// Choices that this browser remembers. Where storage is closed (a private window), they last until the page is closed.

import { type Signal, signal } from '@preact/signals';

const PREFIX = 'runlake.';

function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** A signal whose value is kept under `name`; the first value of `known` is the default, and others are not taken. */
export function stored<T extends string>(name: string, known: readonly [T, ...T[]]): Signal<T> {
  const found = read(name);
  const kept = signal<T>(known.find((value) => value === found) ?? known[0]);
  let first = true;
  kept.subscribe((value) => {
    if (first) {
      first = false;
      return;
    }
    try {
      localStorage.setItem(PREFIX + name, value);
    } catch {
      // It lasts until the page is closed.
    }
  });
  return kept;
}
