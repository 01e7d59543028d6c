// The second line: window, filters, live.

import type { JSX } from 'preact';
import { follows, live, toggleLive } from '../state/live';
import { moves } from '../state/window';
import { Filters } from './filters';
import { TimeControl } from './time';
import { ViewsMenu } from './views';

export function Bar(): JSX.Element {
  return (
    <div class="bar">
      <TimeControl />
      <Filters />
      <span class="grow" />
      <ViewsMenu />
      <button
        type="button"
        class="live"
        aria-pressed={live.value === 'on'}
        disabled={!moves.value}
        onClick={toggleLive}
        title={moves.value ? 'New runs appear by themselves  l' : 'This window does not move with the time'}
      >
        <i class={follows.value ? 'on' : ''} aria-hidden="true" /> Live
      </button>
    </div>
  );
}
