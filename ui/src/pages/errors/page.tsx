// Errors: what failed, as groups of alike errors over time and as a list.

import { useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Errors } from '../../api';
import { failedRuns, groupsCut, groupsName, newFailedRuns } from '../../messages';
import { addressOf } from '../../net/ask';
import { useScreen } from '../../net/use';
import { Order } from '../../parts/order';
import { freshness, Trouble } from '../../parts/trouble';
import { Page } from '../../shell/page';
import { change, place } from '../../state/url';
import { count } from '../../text/number';
import { Selected } from '../runs/head';
import { Newer, useHolding } from '../runs/list';
import { brush, selected, useSelectionKeys } from '../runs/selection';
import { Chart } from './chart';
import { List } from './list';
import { begin, MOST, type Questions, SORTS, sort, withoutFailed, words } from './questions';

export function ErrorsPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  const pointed = useSignal<string | null>(null);
  const marked = useComputed(() => pointed.value ?? place.value.query['sel'] ?? null);
  useSelectionKeys();
  useHolding(place.value.query['sel'] !== undefined);
  const answer = questions.groups.shown.value;
  const partly = questions.groups.progress.value !== null;
  return (
    <Page
      title="Errors"
      screen={screen}
      headline={answer && !partly ? failedRuns(answer.total_failed) : null}
      failed={partly ? undefined : answer?.total_failed}
      question={addressOf('/errors', { ...selected.value, limit: MOST })}
      filter={{ ...selected.value, status: 'failed' }}
    >
      <Head questions={questions} />
      {!withoutFailed.value && <Chart questions={questions} marked={marked.value} pointed={pointed} />}
      <section
        class="groups"
        aria-label="Groups of errors"
        onPointerOver={(event) => {
          const row = (event.target as Element).closest('tr');
          pointed.value = row?.querySelector<HTMLElement>('[data-group]')?.dataset['group'] ?? null;
        }}
        onPointerLeave={() => {
          pointed.value = null;
        }}
      >
        <Trouble panel={questions.groups} name="Groups of errors" />
        <Newer questions={questions} total={partly ? null : (answer?.total_failed ?? null)} name={newFailedRuns} />
        <List questions={questions} />
      </section>
    </Page>
  );
}

function Head({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.groups.shown.value;
  return (
    <section class={`head ${freshness(questions.groups)}`} aria-label="Figures">
      {answer ? <Figures answer={answer} /> : <span class="skeleton">…</span>}
      <span class="grow" />
      {brush.value && <Selected />}
      <Tools />
    </section>
  );
}

function Figures({ answer }: { answer: Errors }): JSX.Element {
  const fresh = answer.groups.filter(({ is_new }) => is_new).length;
  return (
    <>
      <span data-total={answer.total_groups}>
        <b>{count(answer.total_groups)}</b> {groupsName(answer.total_groups, words.value)}
      </span>
      <span data-failed={answer.total_failed} class={answer.total_failed ? 'bad' : ''}>
        <b>{count(answer.total_failed)}</b> failed
      </span>
      {fresh > 0 && (
        <span title="No run of them in the 28 days before the window">
          <b class="new">{count(fresh)} new</b>
        </span>
      )}
      {answer.without_text > 0 && (
        <span class="dim" data-without={answer.without_text} title="They failed without an error text to group by">
          {count(answer.without_text)} without text
        </span>
      )}
      {answer.total_groups > answer.groups.length && (
        <span class="dim">{groupsCut(answer.groups.length, SORTS[sort.value])}</span>
      )}
    </>
  );
}

function Tools(): JSX.Element {
  return (
    <div class="finding">
      <input
        type="search"
        aria-label="Find in kind, message and frame"
        placeholder="Find an error"
        maxLength={200}
        value={words.value}
        onInput={(event) => change({ q: event.currentTarget.value || undefined, sel: undefined }, 'replace')}
      />
      <Order names={SORTS} value={sort.value} choose={(key) => change({ sort: key === 'count' ? undefined : key })} />
    </div>
  );
}
