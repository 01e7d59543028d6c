// A count against the one of the window before, where more is worse.

import type { JSX } from 'preact';
import { previously } from '../messages';
import { difference } from '../text/number';

export function Change({ now, before }: { now: number; before: number }): JSX.Element {
  const more = now - before;
  return (
    <span class={`change ${more > 0 ? 'more' : ''}`} title={previously(before)}>
      {more ? difference(more) : '±0'} <i aria-hidden="true">{more > 0 ? '▲' : more < 0 ? '▼' : ''}</i>
    </span>
  );
}
