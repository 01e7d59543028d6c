// What stands above the Overview on a wall: what it is of, how new it is, and the way back.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { toggleWall } from '../state/wall';
import { now } from '../state/window';
import { zone } from '../state/zone';
import { seconds } from '../text/time';
import { OutageLine } from './outage';
import { windowName } from './time';

export function WallHead(): JSX.Element {
  useEffect(() => {
    const root = document.documentElement;
    root.dataset['tv'] = '';
    return () => {
      delete root.dataset['tv'];
    };
  }, []);
  return (
    <header class="wall">
      <div class="line">
        <b>runlake</b>
        <span>{windowName()}</span>
        <span class="grow" />
        <span class="dim">
          as of {seconds(now.value, zone.value)} {zone.value}
        </span>
        <button type="button" onClick={toggleWall} aria-label="Leave the view for a wall" title="Leave  v">
          ✕
        </button>
      </div>
      <OutageLine />
    </header>
  );
}
