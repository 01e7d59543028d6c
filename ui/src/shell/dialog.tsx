// A modal dialog that a signal opens. The browser keeps the focus inside, and gives it back.

import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface DialogProps {
  open: Signal<boolean>;
  name: string;
  class?: string;
  /** Whether Escape and a click beside it close it; true by default. */
  closable?: boolean;
  children: ComponentChildren;
}

export function Dialog({ open, name, children, closable = true, ...rest }: DialogProps): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const shown = open.value;
  useLayoutEffect(() => {
    if (shown && !element.current!.open) element.current!.showModal();
    if (!shown && element.current!.open) element.current!.close();
  }, [shown]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it, too
    <dialog
      ref={element}
      class={rest.class}
      aria-label={name}
      onClose={() => {
        open.value = false;
      }}
      onCancel={(event) => {
        if (!closable) event.preventDefault();
      }}
      onClick={(event) => {
        if (closable && event.target === element.current) open.value = false;
      }}
    >
      {shown && <div class="inside">{children}</div>}
    </dialog>
  );
}
