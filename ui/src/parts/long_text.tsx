// A text of any length. Of a very long one the beginning is shown until somebody wants all of it.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { count } from '../text/number';

const MOST = 50_000; // characters that a browser lays out at once

export function LongText({ text, label }: { text: string; label: string }): JSX.Element {
  const whole = useSignal(false);
  const cut = !whole.value && text.length > MOST;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard */}
      <section class="long" tabIndex={0} aria-label={label}>
        <pre dir="auto">{cut ? text.slice(0, MOST) : text}</pre>
      </section>
      {cut && (
        <p class="row">
          <span class="dim">
            {count(MOST)} of {count(text.length)} characters
          </span>
          <button
            type="button"
            onClick={() => {
              whole.value = true;
            }}
          >
            Show all
          </button>
        </p>
      )}
    </>
  );
}
