// A part of a page that is asked for when it comes into view.

import type { Signal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

const FOOT = 40; // CSS pixels

interface InViewProps {
  /** Becomes true once the part was in view, and stays so; questions read it. */
  seen: Signal<boolean>;
  class?: string;
  /** CSS pixels of it that have to be seen; the foot of the page covers what is behind it. */
  least?: number;
  children: ComponentChildren;
}

export function InView({ seen, children, least = 0, ...rest }: InViewProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        seen.value = true;
        observer.disconnect();
      },
      { rootMargin: `0px 0px ${-FOOT - least}px` },
    );
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, [seen, least]);
  return (
    <div ref={element} class={rest.class}>
      {children}
    </div>
  );
}
