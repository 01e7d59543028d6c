// The line at the top: pages, search, zone, theme, help.

import type { JSX } from 'preact';
import { PAGES } from '../messages';
import { chosenTheme, nextTheme } from '../state/theme';
import { address, place } from '../state/url';
import { helpOpen } from './help';
import { paletteOpen } from './palette';
import { ZoneChoice } from './zone';

export function Header(): JSX.Element {
  return (
    <div class="line">
      <a href={address('/')} class="brand">
        runlake
      </a>
      <nav aria-label="Pages">
        {PAGES.map(({ path, name }) => (
          <a key={path} href={address(path)} aria-current={isCurrent(path) ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <span class="grow" />
      <button
        type="button"
        class="search"
        onClick={() => {
          paletteOpen.value = true;
        }}
        aria-label="Search pages, tasks and ids"
        aria-keyshortcuts="Control+K Meta+K"
      >
        <span class="wide">Search or id… </span>
        <kbd>⌘K</kbd>
      </button>
      <ZoneChoice />
      <button
        type="button"
        onClick={nextTheme}
        aria-label={`Theme: ${chosenTheme.value}`}
        title={`Theme: ${chosenTheme.value}`}
      >
        {{ system: '◐', light: '☀', dark: '☾' }[chosenTheme.value]}
      </button>
      <button
        type="button"
        onClick={() => {
          helpOpen.value = true;
        }}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts"
      >
        ?
      </button>
    </div>
  );
}

function isCurrent(path: string): boolean {
  const here = place.value.path;
  return path === '/' ? here === '/' : here === path || here.startsWith(`${path}/`);
}
