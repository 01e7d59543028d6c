// Buttons of which one is pressed: how a text is shown.

import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';

interface ViewsProps<T extends string> {
  label: string;
  names: readonly T[];
  shown: Signal<T>;
}

export function Views<T extends string>({ label, names, shown }: ViewsProps<T>): JSX.Element {
  return (
    <fieldset class="group" aria-label={label}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={shown.value === name}
          onClick={() => {
            shown.value = name;
          }}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}
