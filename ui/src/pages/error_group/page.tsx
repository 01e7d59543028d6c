// One group of errors: what it is, since when, where it happens, how it looks, and all its runs.

import type { JSX } from 'preact';
import type { ErrorGroupDetail } from '../../api';
import { runs } from '../../messages';
import { addressOf } from '../../net/ask';
import { useRows, useScreen } from '../../net/use';
import { Change } from '../../parts/change';
import { Different } from '../../parts/different';
import { Empty } from '../../parts/empty';
import { Message, messageText } from '../../parts/message';
import { OverTime } from '../../parts/over_time';
import { Trouble } from '../../parts/trouble';
import { When } from '../../parts/when';
import { Page } from '../../shell/page';
import { address } from '../../state/url';
import { now, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { count, plural } from '../../text/number';
import { ago, millis, span } from '../../text/time';
import { useListKeys } from '../runs/drawer';
import { Selected } from '../runs/head';
import { List } from '../runs/list';
import { brush, select, selected, zoom } from '../runs/selection';
import { begin, group, listed, type Questions, tooLong } from './questions';
import { Samples } from './samples';
import { Spread } from './spread';

const HEIGHT = 100; // CSS pixels
const TITLE = 80; // characters of the error in the title of the window

export function ErrorGroupPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  const rows = useRows(screen, () => listed.value);
  useListKeys();
  const { detail } = questions;
  const missing = detail.trouble.value?.status === 404;
  const found = missing ? undefined : detail.answer.value?.body;
  return (
    <Page
      title={found ? messageText(found).slice(0, TITLE) : 'Error group'}
      screen={screen}
      headline={found ? runs(found.runs) : null}
      question={listed.value && addressOf('/runs', listed.value)}
      filter={{ ...selected.value, ...(group.value && { error_group: group.value }) }}
    >
      {missing ? <Missing /> : <Trouble panel={detail} name="Group of errors" />}
      {!missing && <Head questions={questions} />}
      {!missing && (
        <div class="charts">
          <OverTime
            panel={questions.histogram}
            buckets={questions.buckets.value}
            title="Runs of this group"
            height={HEIGHT}
            failedOnly
            brush={brush}
            handlers={{ select, zoom }}
          />
        </div>
      )}
      {found && found.runs === 0 && <None />}
      {found && found.runs > 0 && (
        <>
          <Panels questions={questions} found={found} />
          <h2 class="its-runs">All its runs</h2>
          <List questions={questions} rows={rows} />
        </>
      )}
    </Page>
  );
}

function Missing(): JSX.Element {
  return (
    <p class="nothing">
      No run that is kept belongs to the group <bdi class="mono">{group.value}</bdi>.{' '}
      <a href={address('/ui/errors', { error_group: undefined })}>All groups of errors</a>
    </p>
  );
}

function None(): JSX.Element {
  const part = brush.value;
  const { start, end } = part ? { start: part.from, end: part.to } : screenWindow.value;
  const text = `No run of ${span(start, end, zone.value)} belongs to this group`;
  return <Empty text={text} filtered="and matches the filters" />;
}

function Panels({ questions, found }: { questions: Questions; found: ErrorGroupDetail }): JSX.Element {
  const stale = questions.detail.current.value ? '' : 'stale';
  return (
    <>
      <div class="panels">
        <div class={`spreads ${stale}`}>
          <Spread found={found} tooLong={tooLong.value} />
        </div>
        <Different panel={questions.breakdown} title="What is different about these runs" tooLong={tooLong.value} />
      </div>
      <div class={stale}>
        <Samples key={found.id} samples={found.samples} />
      </div>
    </>
  );
}

function Head({ questions }: { questions: Questions }): JSX.Element {
  const found = questions.detail.answer.value?.body;
  const stale = questions.detail.current.value ? '' : 'stale';
  return (
    <section class={`group-head ${stale}`} aria-label="Figures">
      <p class="what">
        <a href={address('/ui/errors', { error_group: undefined })} class="dim">
          Errors
        </a>{' '}
        <span class="dim">/</span>{' '}
        {found ? (
          <>
            {found.is_new && <b class="new">new</b>} <Message group={found} />
          </>
        ) : (
          <span class="skeleton">…</span>
        )}
      </p>
      {found?.frame && (
        <p class="dim">
          in <bdi class="mono">{found.frame}</bdi>
        </p>
      )}
      <div class="head">
        {found && <Figures found={found} />}
        <span class="grow" />
        {brush.value && <Selected />}
      </div>
    </section>
  );
}

function Figures({ found }: { found: ErrorGroupDetail }): JSX.Element {
  return (
    <>
      <span data-total={found.runs} data-failed={found.runs} class={found.runs ? 'bad' : ''}>
        <b>{count(found.runs)}</b> {runs(found.runs).split(' ')[1]}
      </span>
      <span class="dim">
        <Change now={found.runs} before={found.previous_runs} /> vs before
      </span>
      <span>{plural(found.tasks, 'task', 'tasks')}</span>
      <span>{plural(found.owners, 'worker', 'workers')}</span>
      <span>
        first seen <When at={found.first_seen} /> <span class="dim">({ago(millis(found.first_seen), now.value)})</span>
      </span>
      {found.last_seen && (
        <span>
          last seen <When at={found.last_seen} />{' '}
          <span class="dim">({ago(millis(found.last_seen), Math.max(now.value, screenWindow.value.end))})</span>
        </span>
      )}
    </>
  );
}
