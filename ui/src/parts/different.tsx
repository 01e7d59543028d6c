// What is different about some runs: what they have more often than the runs that they are compared with.

import type { ComponentChild, JSX } from 'preact';
import type { Breakdown, Share } from '../api';
import type { Panel } from '../net/screen';
import { address, place } from '../state/url';
import { duration } from '../text/duration';
import { count, percent, times } from '../text/number';
import { type Dimension, standing } from './standing';
import { Task } from './task';
import { Trouble, Waiting } from './trouble';

const NAMES: Record<Dimension, string> = {
  task: 'task',
  owner: 'worker',
  error_group: 'error',
  attempt: 'attempt',
  hour: 'hour',
  duration: 'took',
};
interface DifferentProps {
  panel: Panel<Breakdown>;
  title: string;
  /** Whether the window is too long for this question. */
  tooLong: boolean;
  /** An error group as the page knows it. */
  group?(id: string): ComponentChild;
}

export function Different({ panel, title, tooLong, group }: DifferentProps): JSX.Element {
  const answer = panel.answer.value?.body;
  return (
    <section class="different">
      <h2 title="What they have more often than all other runs of the window, by more than 3 standard errors">
        {title}
      </h2>
      <Trouble panel={panel} name={title} />
      {tooLong && <p class="dim">The window is longer than 31 days: over so many runs this is not counted.</p>}
      {!tooLong && !answer && <Waiting panel={panel} height={120} />}
      {answer && <Rows answer={answer} stale={!panel.current.value} group={group} />}
    </section>
  );
}

interface RowsProps {
  answer: Breakdown;
  stale: boolean;
  group: DifferentProps['group'];
}

function Rows({ answer, stale, group }: RowsProps): JSX.Element {
  if (!answer.baseline || !answer.selected) {
    const why = answer.selected ? 'The window has no other runs to compare these with.' : 'There are no such runs.';
    return <p class="dim">{why}</p>;
  }
  const rows = standing(answer);
  if (!rows.length) {
    return <p class="dim">Nothing: they are spread as the other {count(answer.baseline)} runs of the window are.</p>;
  }
  return (
    <>
      <ul class={stale ? 'stale' : ''}>
        {rows.map(({ dimension, share }) => (
          <li key={`${dimension} ${share.value}`}>
            <span class="dim">{NAMES[dimension]}</span>
            <span class="name">{nameOf(dimension, share.value, group)}</span>
            <b class="lift">{share.lift === null ? 'only here' : times(share.lift)}</b>
            <span class="both" aria-hidden="true">
              <i style={{ width: `${share.selected_share * 100}%` }} />
              <i class="other" style={{ width: `${share.baseline_share * 100}%` }} />
            </span>
            <span class="dim shares">
              {percent(share.selected_share)} of these, {percent(share.baseline_share)} of others
            </span>
          </li>
        ))}
      </ul>
      <p class="dim">
        {count(answer.selected)} runs against all {count(answer.baseline)} others of the window
      </p>
    </>
  );
}

function nameOf(dimension: Dimension, value: Share['value'], group: DifferentProps['group']): ComponentChild {
  if (dimension === 'task') return <Task id={String(value)} />;
  if (dimension === 'owner') return <Worker name={value as string | null} />;
  if (dimension === 'error_group') return value === null ? 'no text' : (group?.(String(value)) ?? value);
  if (dimension === 'hour') return `${String(value).padStart(2, '0')}:00 to ${hour(Number(value) + 1)} UTC`;
  if (dimension !== 'duration') return value;
  if (value === null) return 'not known';
  const seconds = Number(value);
  if (seconds === 0) return '0 s';
  const filter = { duration_min: String(seconds), duration_max: (2 * seconds - 1e-6).toFixed(6) };
  return (
    <a href={address(place.value.path, filter)}>
      {duration(seconds)} to {duration(2 * seconds)}
    </a>
  );
}

const hour = (n: number): string => `${String(n % 24).padStart(2, '0')}:00`;
/** A worker, which is a lease owner, with the page of all workers behind it. */
export function Worker({ name }: { name: string | null }): JSX.Element {
  return name === null ? (
    <span class="dim">no worker</span>
  ) : (
    <a class="task" href={address('/ui/workers', { lease_owner: undefined, sel: name })}>
      <bdi>{name}</bdi>
    </a>
  );
}
