// The time control: presets, typed text, a calendar; and moving the window.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { rangeName } from '../messages';
import { Popover } from '../parts/popover';
import { PRESETS, parseRange } from '../state/range';
import { range, screenWindow, shift, show, zoomOut } from '../state/window';
import { zone } from '../state/zone';
import { span } from '../text/time';

export function TimeControl(): JSX.Element {
  return (
    <fieldset class="time group" aria-label="Window of time">
      <Popover label={<>◷ {windowName()}</>} name={`Window of time: ${windowName()}`} class="window">
        {(close) => <Choices close={close} />}
      </Popover>
      <button
        type="button"
        onClick={() => shift(-1)}
        aria-label="Earlier by one window"
        title="Earlier by one window  ["
      >
        ‹
      </button>
      <button type="button" onClick={() => shift(1)} aria-label="Later by one window" title="Later by one window  ]">
        ›
      </button>
      <button type="button" onClick={zoomOut} aria-label="Twice as long" title="Twice as long  -">
        ⊖
      </button>
    </fieldset>
  );
}

/** The range in words, where it has some; else its days and times. */
export function windowName(): string {
  const { start, end } = screenWindow.value;
  return range.value.kind === 'between' ? span(start, end, zone.value) : rangeName(range.value.text);
}

function Choices({ close }: { close: () => void }): JSX.Element {
  const wrong = useSignal('');
  const choose = (text: string): void => {
    const found = parseRange(text, zone.value);
    wrong.value = found ? '' : text;
    if (!found) return;
    show(found);
    close();
  };
  const submitted = (event: SubmitEvent, read: (data: FormData) => string): void => {
    event.preventDefault();
    choose(read(new FormData(event.currentTarget as HTMLFormElement)));
  };
  return (
    <div class="stack">
      <div class="presets">
        {PRESETS.map((text) => (
          <button key={text} type="button" aria-pressed={isShown(text)} onClick={() => choose(text)}>
            {rangeName(text).replace('Last ', '')}
          </button>
        ))}
      </div>
      <form class="row" onSubmit={(event) => submitted(event, (data) => data.get('range') as string)}>
        <label class="grow">
          Type a range
          <input
            data-first
            name="range"
            autocomplete="off"
            placeholder="3h, yesterday, since 06:00, 2026-10-15..2026-10-16"
          />
        </label>
        <button type="submit">Show</button>
      </form>
      {wrong.value && <p class="wrong">This is no range of time: {wrong.value}</p>}
      <form class="row" onSubmit={(event) => submitted(event, (data) => `${data.get('from')}..${data.get('to')}`)}>
        <label>
          From
          <input type="datetime-local" name="from" required defaultValue={wall(screenWindow.value.start)} />
        </label>
        <label>
          To
          <input type="datetime-local" name="to" required defaultValue={wall(screenWindow.value.end)} />
        </label>
        <button type="submit">Show</button>
      </form>
      <p class="dim">Times are of the zone {zone.value}.</p>
    </div>
  );
}

const isShown = (text: string): boolean => range.value.kind !== 'between' && range.value.text === text;

/** A time as the calendar field wants it, in the chosen zone. */
const wall = (ms: number): string =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone.value).toPlainDateTime().toString().slice(0, 16);
