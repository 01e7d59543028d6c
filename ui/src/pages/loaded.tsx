// A part of the page whose code is loaded when it is first shown.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';

type Part = () => JSX.Element | null;

/** Shows what `load` brings; the code is asked for once, and again after a failure. */
export function loaded(load: () => Promise<Part>): Part {
  const part = signal<Part | null>(null);
  const failed = signal(false);
  let asked = false;
  const ask = (): void => {
    asked = true;
    failed.value = false;
    load().then(
      (found) => {
        part.value = found;
      },
      () => {
        failed.value = true;
      },
    );
  };
  return () => {
    if (!asked) ask();
    const Shown = part.value;
    if (Shown) return <Shown />;
    return failed.value ? <NotLoaded retry={ask} /> : <div aria-busy="true" />;
  };
}

/** After an upgrade of the service the old code is gone: a reload brings the new one. */
function NotLoaded({ retry }: { retry: () => void }): JSX.Element {
  return (
    <div class="trouble" role="alert">
      <b>A part of the page did not come.</b>
      <span class="grow" />
      <button type="button" onClick={retry}>
        Retry
      </button>
      <button type="button" onClick={() => location.reload()}>
        Reload
      </button>
    </div>
  );
}
