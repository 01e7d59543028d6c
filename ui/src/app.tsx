// The page: what stands on every screen, and the one that the address asks for.

import { useComputed } from '@preact/signals';
import { type JSX, render } from 'preact';
import { PAGES } from './messages';
import { followRuns } from './net/tail';
import { routeOf } from './pages/routes';
import { Bar } from './shell/bar';
import { Header } from './shell/header';
import { Help, helpOpen } from './shell/help';
import { KeyPrompt } from './shell/key_prompt';
import { addShortcuts, followKeys } from './shell/keys';
import { OutageLine } from './shell/outage';
import { Palette, paletteOpen } from './shell/palette';
import { WallHead } from './shell/wall';
import { toggleFailed } from './state/filters';
import { toggleLive, toPresent } from './state/live';
import { DEFAULT_RANGE, parseRange } from './state/range';
import { readStored } from './state/stored';
import { nextTheme } from './state/theme';
import { address, followAddress, go, place } from './state/url';
import { toggleWall, wall } from './state/wall';
import { range, shift, show, zoomOut } from './state/window';
import { BROWSER, chooseZone, zone } from './state/zone';
import { stickyEdge } from './table/edge';
import { moveRow, openRow, openRowBeside } from './table/list';

function App(): JSX.Element {
  const route = useComputed(() => routeOf(place.value.path)).value;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      {wall.value ? (
        <WallHead />
      ) : (
        <header class="top" ref={followEdge}>
          <Header />
          {route.bar && <Bar />}
          <OutageLine />
        </header>
      )}
      <Current key={route.pattern.source} page={route.page} />
      <Palette />
      <Help />
      <KeyPrompt />
    </>
  );
}

/** Keeps the height of what sticks to the top in the style sheet: heads of tables stick below it. */
function followEdge(top: HTMLElement | null): void {
  if (!top) return;
  new ResizeObserver(() => {
    document.documentElement.style.setProperty('--edge', `${stickyEdge()}px`);
  }).observe(top);
}

const Current = ({ page }: { page: () => JSX.Element }): JSX.Element => page();

/** Ends now again. */
function backToNow(): void {
  if (range.peek().kind === 'between') show(parseRange(DEFAULT_RANGE, zone.peek())!);
  toPresent();
}

/** The window of the add-filter button, which is on most pages. */
const openFilter = (): void => document.querySelector<HTMLElement>('.add-filter')?.click();

addShortcuts([
  ...PAGES.map(({ key, path, name }) => ({ keys: `g ${key}`, does: `Go to ${name}`, run: () => go(address(path)) })),
  { keys: 'j', does: 'Next row', run: () => moveRow(1) },
  { keys: 'k', does: 'Row before', run: () => moveRow(-1) },
  { keys: 'Enter', does: 'Open the row', run: openRow },
  { keys: 'o', does: 'Open the row in another tab', run: openRowBeside },
  { keys: '[', does: 'Earlier by one window', run: () => shift(-1) },
  { keys: ']', does: 'Later by one window', run: () => shift(1) },
  { keys: '-', does: 'Twice as long', run: zoomOut },
  { keys: '0', does: 'Back to now', run: backToNow },
  { keys: 'f', does: 'Add a filter', run: openFilter },
  { keys: 'F', does: 'Failed runs only, or all', run: toggleFailed },
  {
    keys: '/',
    does: 'Search',
    run: () => {
      paletteOpen.value = true;
    },
  },
  { keys: 'l', does: 'Live on or off', run: toggleLive },
  { keys: 'v', does: 'Overview for a wall, or as usual', run: toggleWall },
  { keys: 't', does: 'Next theme', run: nextTheme },
  {
    keys: 'u',
    does: 'UTC, or the zone of the browser',
    run: () => chooseZone(zone.peek() === 'UTC' ? BROWSER : 'UTC'),
  },
  {
    keys: '?',
    does: 'This list',
    run: () => {
      helpOpen.value = true;
    },
  },
]);

const PATIENCE = 2000; // milliseconds for the view to begin with; then the Overview is shown

async function showView(): Promise<void> {
  try {
    const { begin } = await import('./shell/views_list');
    await begin();
  } catch {
    // The Overview is shown, and says what is wrong.
  }
}

async function start(): Promise<void> {
  if (!('Temporal' in globalThis)) await import('temporal-polyfill/global');
  followAddress();
  followKeys();
  if (location.pathname + location.search === '/' && readStored('view')) {
    await Promise.race([showView(), new Promise((late) => setTimeout(late, PATIENCE))]);
  }
  addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    paletteOpen.value = true;
  });
  render(<App />, document.getElementById('app')!);
  followRuns();
}

void start();
