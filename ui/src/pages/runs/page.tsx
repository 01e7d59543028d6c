// Runs: every run of the window, as two pictures and as a list. What is selected in a picture filters everything.

import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import { runs } from '../../messages';
import { addressOf } from '../../net/ask';
import type { Screen } from '../../net/screen';
import { useRows, useScreen } from '../../net/use';
import { Page } from '../../shell/page';
import { showFrom } from '../../table/list';
import { Charts } from './charts';
import { Difference } from './difference';
import { useListKeys } from './drawer';
import { Head } from './head';
import { List } from './list';
import { begin, listed } from './questions';
import { askQueued, QueuedStrip } from './queued';
import { selected } from './selection';

function beginAll(screen: Screen) {
  const questions = begin(screen);
  const total = computed(() => questions.histogram.answer.value?.body.queued ?? 0);
  return { ...questions, queued: askQueued(screen, total) };
}

export function RunsPage(): JSX.Element {
  const [screen, questions] = useScreen(beginAll);
  const rows = useRows(screen, () => listed.value);
  useListKeys();
  const total = rows.total.value;
  return (
    <Page
      title="Runs"
      screen={screen}
      headline={total === null || rows.progress.value ? null : runs(total)}
      failed={questions.failed.value}
      question={addressOf('/runs', listed.value)}
      filter={selected.value}
    >
      <Head questions={questions} />
      <Charts questions={questions} jump={showFrom} />
      <Difference questions={questions} />
      <QueuedStrip queued={questions.queued} />
      <List questions={questions} rows={rows} />
    </Page>
  );
}
