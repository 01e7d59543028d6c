// What became of a run: a glyph, a word and a colour, so that none of them is needed alone.

import type { JSX } from 'preact';
import type { Run } from '../api';
import { type Outcome as Name, OUTCOMES } from '../messages';
import { STEP } from '../state/window';
import { millis } from '../text/time';

/** The outcome of a run at a time; a lease that is over makes an open run lost. The service says so in steps. */
export function outcomeOf(run: Pick<Run, 'success' | 'started_at' | 'leased_until'>, now: number): Name {
  if (run.success !== null) return run.success ? 'success' : 'failed';
  if (run.started_at === null) return 'queued';
  return run.leased_until !== null && millis(run.leased_until) < Math.floor(now / STEP) * STEP ? 'lost' : 'running';
}

export function Outcome({ name }: { name: Name }): JSX.Element {
  const { glyph, word } = OUTCOMES[name];
  return (
    <span class={`outcome ${name}`}>
      <i aria-hidden="true">{glyph}</i> {word}
    </span>
  );
}
