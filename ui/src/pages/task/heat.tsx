// A year by days, and two weeks by hours: how much a task ran, and how much of it failed.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { DailyFigures, Histogram } from '../../api';
import { AsTable } from '../../chart/frame';
import { runs } from '../../messages';
import { Trouble, Waiting } from '../../parts/trouble';
import { useNarrow } from '../../state/narrow';
import { between } from '../../state/range';
import { show } from '../../state/window';
import { zone } from '../../state/zone';
import { count, percent, plural } from '../../text/number';
import { day, millis, month } from '../../text/time';
import type { Questions } from './questions';

const DAY = 86_400_000;
const HALF = 26 * 7; // days that fit on a narrow screen
const WAITING = 130; // CSS pixels
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

interface Cell {
  runs: number;
  failed: number;
  title: string;
}

interface SquareProps {
  cell: Cell;
  greatest: number;
  /** Whether the keyboard is at it. */
  here?: boolean;
  onClick?: () => void;
}

/** The more runs the denser, the more failures the redder; as in the density. */
function Square({ cell, greatest, here, onClick }: SquareProps): JSX.Element {
  const share = cell.runs ? Math.min(1, 1.6 * (cell.failed / cell.runs) ** 1.2) : 0;
  const dense = cell.runs ? Math.max(0.25 + 0.75 * (Math.log1p(cell.runs) / Math.log1p(greatest)), 0.85 * share) : 0;
  const style = cell.runs
    ? { background: `color-mix(in srgb, var(--failed) ${share * 100}%, var(--success))`, opacity: dense }
    : {};
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: what is around it has the keys
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <i title={cell.title} style={style} class={`${onClick ? 'open' : ''} ${here ? 'here' : ''}`} onClick={onClick} />
  );
}

const titleOf = (when: string, n: number, failed: number): string =>
  n ? `${when}: ${runs(n)}, ${count(failed)} failed` : `${when}: no runs`;

const STEPS: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: -7, ArrowRight: 7 };

const beginOf = ({ date }: DailyFigures): number => millis(`${date}T00:00:00Z`);
const showDay = (each: DailyFigures): void => show(between(beginOf(each), beginOf(each) + DAY));
const dayTitle = (each: DailyFigures): string => titleOf(day(beginOf(each), 'UTC'), each.total_runs, each.failed_runs);

export function Calendar({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.year.answer.value?.body;
  const narrow = useNarrow();
  const cursor = useSignal<number | null>(null);
  const days = (answer?.daily ?? []).slice(narrow ? -HALF : 0);
  const first = days[0] ? (new Date(days[0].date).getUTCDay() + 6) % 7 : 0;
  const greatest = Math.max(1, ...days.map((each) => each.total_runs));
  const ran = days.filter((each) => each.total_runs > 0);
  const failed = days.reduce((sum, each) => sum + each.failed_runs, 0);
  const total = days.reduce((sum, each) => sum + each.total_runs, 0);
  const sentence = `${runs(total)} on ${plural(ran.length, 'day', 'days')} of ${narrow ? 26 : 53} weeks, ${count(failed)} failed.`;
  const here = days[cursor.value ?? -1];
  const key = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step) cursor.value = Math.min(days.length - 1, Math.max(0, (cursor.value ?? days.length - 1 - step) + step));
    else if (event.key === 'Enter' && here) showDay(here);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <figure class={`heat ${questions.year.current.value ? '' : 'stale'}`}>
      <figcaption>
        <b>{narrow ? 'Half a year' : 'A year'} by days</b> <span class="dim">UTC days; a click shows a day</span>
      </figcaption>
      <Trouble panel={questions.year} name="A year by days" />
      {!answer && <Waiting panel={questions.year} height={WAITING} />}
      {answer && (
        <div class="calendar">
          <Months days={days} first={first} />
          <div
            class="weeks"
            role="img"
            aria-roledescription="chart"
            aria-label={`A year by days: ${sentence} Arrow keys move, Enter shows a day.`}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: as in the other charts, the keys move within it
            tabIndex={0}
            onKeyDown={key}
            onBlur={() => {
              cursor.value = null;
            }}
          >
            {Array.from({ length: first }, (_, at) => (
              <span key={WEEKDAYS[at]} />
            ))}
            {days.map((each) => (
              <Day key={each.date} each={each} greatest={greatest} here={each === here} />
            ))}
          </div>
        </div>
      )}
      {answer && (
        <p class="dim" role="status">
          {here ? dayTitle(here) : sentence}
        </p>
      )}
      <AsTable
        title="A year by days"
        table={() => ({
          heads: ['Day', 'Runs', 'Failed', 'Success'],
          rows: ran.map((each) => [
            each.date,
            count(each.total_runs),
            count(each.failed_runs),
            each.successful_runs + each.failed_runs ? percent(each.success_rate) : '–',
          ]),
        })}
      />
    </figure>
  );
}

function Day({ each, greatest, here }: { each: DailyFigures; greatest: number; here: boolean }): JSX.Element {
  const cell = { runs: each.total_runs, failed: each.failed_runs, title: dayTitle(each) };
  return <Square cell={cell} greatest={greatest} here={here} onClick={() => showDay(each)} />;
}

/** Names of months over the week in which they begin. */
function Months({ days, first }: { days: readonly DailyFigures[]; first: number }): JSX.Element {
  const weeks = Math.ceil((first + days.length) / 7);
  const begins = days.flatMap((each, at) =>
    each.date.endsWith('-01') ? [{ week: Math.floor((first + at) / 7), text: month(millis(each.date), 'UTC') }] : [],
  );
  return (
    <div class="months" aria-hidden="true">
      {begins
        .filter(({ week }) => week < weeks - 2)
        .map(({ week, text }) => (
          <span key={text} style={{ gridColumn: `${week + 1} / span 4` }}>
            {text.split(' ')[0]}
          </span>
        ))}
    </div>
  );
}

/** How an hour of the zone is written; where the zone is half an hour off, hours begin at half past. */
const clockOf = (hour: number, minute: number): string =>
  `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;

/** The minute of the zone at which the hours of an answer begin. */
const minuteOf = (answer: Histogram, name: string): number => wallOf(answer.edges.at(-1)!, name).minute;

const wallOf = (at: string, name: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(millis(at)).toZonedDateTimeISO(name);

/** The runs of each hour of the week, in the zone of the screen: 7 × 24. */
function byHour(answer: Histogram, name: string): Cell[] {
  const minute = minuteOf(answer, name);
  const cells = Array.from({ length: 7 * 24 }, () => ({ runs: 0, failed: 0, title: '' }));
  const failed = answer.series.find(({ key }) => key === 'failed')?.runs ?? [];
  for (let at = 0; at + 1 < answer.edges.length; at++) {
    const wall = wallOf(answer.edges[at]!, name);
    const cell = cells[(wall.dayOfWeek - 1) * 24 + wall.hour]!;
    cell.runs += answer.series.reduce((sum, series) => sum + series.runs[at]!, 0);
    cell.failed += failed[at] ?? 0;
  }
  for (const [at, cell] of cells.entries()) {
    cell.title = titleOf(`${WEEKDAYS[Math.floor(at / 24)]} ${clockOf(at % 24, minute)}`, cell.runs, cell.failed);
  }
  return cells;
}

export function Hours({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.hours.answer.value?.body;
  const name = zone.value;
  const cells = useMemo(() => (answer ? byHour(answer, name) : []), [answer, name]);
  const greatest = Math.max(1, ...cells.map((cell) => cell.runs));
  const busiest = cells.reduce<Cell | null>((most, cell) => (cell.runs > (most?.runs ?? 0) ? cell : most), null);
  const sentence = busiest ? `Most runs: ${busiest.title}.` : 'No runs.';
  return (
    <figure class={`heat ${questions.hours.current.value ? '' : 'stale'}`}>
      <figcaption>
        <b>Hours of the week</b> <span class="dim">the 14 days up to the end of the window, {name}</span>
      </figcaption>
      <Trouble panel={questions.hours} name="Hours of the week" />
      {!answer && <Waiting panel={questions.hours} height={WAITING} />}
      {answer && (
        <div class="week">
          <div class="weekdays" aria-hidden="true">
            {WEEKDAYS.map((text) => (
              <span key={text}>{text}</span>
            ))}
          </div>
          <div class="hours" role="img" aria-label={sentence}>
            {cells.map((cell) => (
              <Square key={cell.title} cell={cell} greatest={greatest} />
            ))}
          </div>
          <div class="clock" aria-hidden="true">
            {[0, 6, 12, 18].map((hour) => (
              <span key={hour}>{clockOf(hour, minuteOf(answer, name))}</span>
            ))}
          </div>
        </div>
      )}
      {answer && <p class="dim">{sentence}</p>}
      <AsTable
        title="Hours of the week"
        table={() => ({
          heads: ['Hour', 'Runs', 'Failed'],
          rows: cells.map(({ runs: n, failed, title }) => [title.split(': ')[0]!, count(n), count(failed)]),
        })}
      />
    </figure>
  );
}
