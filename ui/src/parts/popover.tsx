// A button and the box that it opens. The browser closes it on Escape and on a click elsewhere.

import type { ComponentChildren, JSX } from 'preact';
import { useId, useRef } from 'preact/hooks';

interface PopoverProps {
  /** What stands on the button. */
  label: ComponentChildren;
  /** The name of button and box for who does not see them. */
  name: string;
  class?: string;
  children: ComponentChildren | ((close: () => void) => ComponentChildren);
  /** Called when it opens and when it closes. */
  toggled?(open: boolean): void;
}

const GAP = 4; // CSS pixels between button and box

export function Popover({ label, name, children, toggled, ...rest }: PopoverProps): JSX.Element {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const close = (): void => box.current?.hidePopover();
  return (
    <>
      <button ref={button} type="button" class={rest.class} popovertarget={id} aria-label={name}>
        {label}
      </button>
      <div
        ref={box}
        id={id}
        popover="auto"
        class="popover"
        role="dialog"
        aria-label={name}
        onToggle={(event) => {
          const open = event.newState === 'open';
          toggled?.(open);
          if (!open) return;
          place(button.current!, box.current!);
          box.current!.querySelector<HTMLElement>('[data-first], input, button, select, a')?.focus();
        }}
      >
        {typeof children === 'function' ? children(close) : children}
      </div>
    </>
  );
}

/** Below the button, or above it where there is more room, and within the window. */
function place(button: HTMLElement, box: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const below = innerHeight - at.bottom > size.height + GAP || at.top < size.height + GAP;
  box.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - size.width - GAP))}px`;
  box.style.top = below ? `${at.bottom + GAP}px` : `${at.top - size.height - GAP}px`;
}
