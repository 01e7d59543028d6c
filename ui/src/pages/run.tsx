// One run: what became of it, what stands around it, its error, its output, and all its fields as they are stored.

import type { JSX } from 'preact';
import type { Run, Uuid } from '../api';
import { noFailedRunOfTask } from '../messages';
import { useScreen } from '../net/use';
import { say } from '../parts/clipboard';
import { MissingRun } from '../parts/missing';
import { Trouble } from '../parts/trouble';
import { useShortcuts } from '../shell/keys';
import { Page } from '../shell/page';
import { go, place } from '../state/url';
import { copiesOf } from './run/copies';
import { runLink } from './run/head';
import { begin, runAddress } from './run/questions';
import { RunView } from './run/view';
import { failedBeyond, oneByOne, type Way } from './runs/failed';

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
  // The list of a task has its newest run first.
  const visitFailed = oneByOne(async (way: Way) => {
    const here = panel.answer.peek()?.body;
    if (!here || !panel.current.peek()) return;
    const found = await failedBeyond({ task_id: here.task_id }, here as unknown as Run, way);
    if (found) go(runLink(found.id));
    else say(noFailedRunOfTask(way));
  });
  useShortcuts([
    { keys: 'n', does: 'Failed run of this task after', run: () => visitFailed(-1) },
    { keys: 'p', does: 'Failed run of this task before', run: () => visitFailed(1) },
    { keys: 'N', does: 'Run of this task after, failed or not', run: () => visit('next') },
    { keys: 'P', does: 'Run of this task before, failed or not', run: () => visit('previous') },
  ]);
  const run = panel.answer.value?.body;
  const missing = panel.trouble.value?.status === 404;
  return (
    <Page title="Run" screen={screen} question={runAddress(id)} copies={run ? copiesOf(run) : []}>
      {missing ? <MissingRun id={id} /> : <Trouble panel={panel} name="Run" />}
      {!run && !panel.trouble.value && <p class="skeleton waiting">…</p>}
      {run && !missing && <RunView run={run} questions={questions} />}
    </Page>
  );
}
