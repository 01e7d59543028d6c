// One run: what became of it, what stands around it, its error, its output, and all its fields as they are stored.

import type { JSX } from 'preact';
import type { Uuid } from '../api';
import { useScreen } from '../net/use';
import { Trouble } from '../parts/trouble';
import { useShortcuts } from '../shell/keys';
import { Page } from '../shell/page';
import { go, place } from '../state/url';
import { copiesOf } from './run/copies';
import { runLink } from './run/head';
import { begin, runAddress } from './run/questions';
import { RunView } from './run/view';

/** The id in the address of this page; null while another page is shown. */
const idOf = (path: string): Uuid | null => /^\/ui\/runs\/([^/]+)/.exec(path)?.[1] ?? null;

export function RunPage(): JSX.Element {
  const id = idOf(place.value.path) ?? '';
  const [screen, questions] = useScreen((made) => begin(made, () => idOf(place.value.path)));
  const { run: panel, around } = questions;
  const visit = (which: 'previous' | 'next'): void => {
    const to = around.answer.peek()?.body[which];
    if (to && around.current.peek()) go(runLink(to));
  };
  useShortcuts([
    { keys: 'n', does: 'Run of this task after', run: () => visit('next') },
    { keys: 'p', does: 'Run of this task before', run: () => visit('previous') },
  ]);
  const run = panel.answer.value?.body;
  const missing = panel.trouble.value?.status === 404;
  return (
    <Page title="Run" screen={screen} question={runAddress(id)} copies={run ? copiesOf(run) : []}>
      {missing ? <p class="nothing">There is no run with the id {id}.</p> : <Trouble panel={panel} name="Run" />}
      {!run && !panel.trouble.value && <p class="skeleton waiting">…</p>}
      {run && !missing && <RunView run={run} questions={questions} />}
    </Page>
  );
}
