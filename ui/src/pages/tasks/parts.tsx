// Small things that are said of a task, on all pages that speak of tasks.

import type { JSX } from 'preact';
import { Spark } from '../../chart/spark';
import { runs } from '../../messages';
import { now } from '../../state/window';
import { zone } from '../../state/zone';
import { count, difference, percent, times } from '../../text/number';
import { ago, full } from '../../text/time';
import type { TaskRow } from './fleet';
import { growth, type Signs, STATES, type State, stateReason, stateText } from './states';

/** The word for a state, with its number; what it means stands in its tooltip. */
export function StateWord({ state, signs }: { state: State; signs: Signs }): JSX.Element {
  return (
    <span class={`state ${state}`} title={stateReason(state, signs)}>
      <i aria-hidden="true">{STATES[state].glyph}</i> {stateText(state, signs)}
    </span>
  );
}

export function StateWords({ states, signs }: { states: readonly State[]; signs: Signs }): JSX.Element {
  return (
    <>
      {states.map((state) => (
        <StateWord key={state} state={state} signs={signs} />
      ))}
    </>
  );
}

const SURE = 3; // standard errors beyond which a share of failures has changed

/** Failed runs, with an arrow where their share has changed against the window before. */
export function Failed({ row }: { row: TaskRow }): JSX.Element {
  const z = row.failureZ ?? 0;
  const change = row.failedBefore === null ? '' : `; ${count(row.failedBefore)} in the window before`;
  const arrow = z >= SURE ? '▲' : z <= -SURE ? '▼' : '';
  const share = arrow
    ? `, a ${z > 0 ? 'greater' : 'smaller'} share than before (${difference(Math.round(z))} standard errors)`
    : '';
  return (
    <span class={row.failed ? 'bad' : 'dim'} title={`${count(row.failed)} failed${change}${share}`}>
      {arrow && <i aria-hidden="true">{arrow}</i>} {row.failed ? <b>{count(row.failed)}</b> : '0'}
    </span>
  );
}

/** The 95th percentile against that of the window before. */
export function Growth({ row }: { row: TaskRow }): JSX.Element {
  const factor = growth(row);
  if (factor === null) return <span class="dim">–</span>;
  const sure =
    row.slower === null ? '' : `; a run takes longer than before with a probability of ${percent(row.slower)}`;
  const slower = row.states.includes('slower');
  return (
    <span class={slower ? 'state slower' : 'dim'} title={`95th percentile, ${times(factor)} as long${sure}`}>
      {slower && <i aria-hidden="true">▲</i>} {times(factor)}
    </span>
  );
}

/** Runs and failures over time, as a picture with its words. */
export function Line({ row, width = 136 }: { row: TaskRow; width?: number }): JSX.Element {
  const label = `${runs(row.runs)} over time, ${count(row.failed)} failed`;
  return <Spark runs={row.spark} failed={row.sparkFailed} label={label} width={width} height={22} />;
}

/** When a task ran last; dimmed where that was before the window. */
export function LastRun({ row: { last, silent } }: { row: TaskRow }): JSX.Element {
  if (last === null) {
    return (
      <span class="dim" title="No run in the window">
        {silent === null ? 'none' : ago(0, silent * 1000)}
      </span>
    );
  }
  return (
    <time title={full(last, zone.value)} dateTime={new Date(last).toISOString()}>
      {ago(last, now.value)}
    </time>
  );
}
