// What has happened since this browser last showed the Overview. It remembers the moment, and nothing else.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { failedRuns, runs } from '../../messages';
import type { Screen } from '../../net/screen';
import { useScreen } from '../../net/use';
import { filters } from '../../state/filters';
import { readStored, writeStored } from '../../state/stored';
import { address } from '../../state/url';
import { wall } from '../../state/wall';
import { asParameters, now } from '../../state/window';
import { BROWSER, zone } from '../../state/zone';
import { sum } from '../../text/number';
import { ago, everywhere } from '../../text/time';

const NAME = 'looked';
const AWAY = 600_000; // milliseconds: who comes back sooner was not away
const EVERY = 10_000; // milliseconds

/** When somebody looked before this visit, in milliseconds since 1970; null where that was just now, or never. */
const before = signal<number | null>(null);

/** Remembers that somebody looks. A wall shows the page whether anybody looks or not. */
function look(): void {
  if (document.visibilityState !== 'visible' || wall.peek()) return;
  const [last, at] = [Number(readStored(NAME)), Date.now()];
  if (last > 0 && at - last >= AWAY) before.value = last;
  writeStored(NAME, String(at));
}

const window = () => asParameters({ start: before.value!, end: now.value });

const begin = (screen: Screen) =>
  screen.ask('/stats/histogram', () =>
    before.value === null || before.value >= now.value ? null : { ...filters.value, ...window(), buckets: 1 },
  );

export function SinceLooked(): JSX.Element | null {
  const [, panel] = useScreen(begin);
  useEffect(() => {
    look();
    const timer = setInterval(look, EVERY);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  const answer = panel.answer.value?.body;
  if (before.value === null || !answer || wall.value) return null;
  const failed = sum(answer.series.find(({ key }) => key === 'failed')?.runs ?? []);
  const shown = { range: undefined, ...window() };
  return (
    <p class={`since row ${panel.current.value ? '' : 'stale'}`} data-since={answer.total}>
      <span>
        Since you last looked,{' '}
        <time title={everywhere(before.value, zone.value, BROWSER)}>{ago(before.value, now.value)}</time>:{' '}
        <a href={address('/ui/runs', shown)}>{runs(answer.total)}</a>
        {failed > 0 && (
          <>
            , <a href={address('/ui/runs', { ...shown, status: 'failed' })}>{failedRuns(failed)}</a>
          </>
        )}
        {failed === 0 && ', none failed'}
      </span>
      <button
        type="button"
        class="bare"
        aria-label="Remove this line"
        onClick={() => {
          before.value = null;
        }}
      >
        ✕
      </button>
    </p>
  );
}
