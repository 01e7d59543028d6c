// A part of a page that is asked for when it comes into view.

import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface InViewProps {
  /** Becomes true once the part was in view, and stays so; questions read it. */
  seen: Signal<boolean>;
  class?: string;
  children: ComponentChildren;
}

export function InView({ seen, children, ...rest }: InViewProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      seen.value = true;
      observer.disconnect();
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [seen]);
  return (
    <div ref={element} class={rest.class}>
      {children}
    </div>
  );
}
