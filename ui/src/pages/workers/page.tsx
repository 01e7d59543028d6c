// Workers: which of them fails more than the others, which is slower than before, which does not answer any more.

import type { JSX } from 'preact';
import type { Owners } from '../../api';
import { workersName } from '../../messages';
import { addressOf } from '../../net/ask';
import { useScreen } from '../../net/use';
import { Order } from '../../parts/order';
import { Trouble } from '../../parts/trouble';
import { useShortcuts } from '../../shell/keys';
import { Page } from '../../shell/page';
import { filters } from '../../state/filters';
import { useNarrow } from '../../state/narrow';
import { change } from '../../state/url';
import { asParameters, screenWindow } from '../../state/window';
import { count, plural } from '../../text/number';
import { Newer, useHolding } from '../runs/list';
import { List } from './list';
import { Marked } from './marked';
import { begin, marked, type Questions, sorting, words } from './questions';
import { CLEAR, ENOUGH, SORTS, sortText, type WorkerRow } from './rows';

const MOST_NAMED = 4; // workers that stand out

export function WorkersPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  useShortcuts([{ keys: 'Escape', does: 'Unmark the worker', run: () => change({ sel: undefined }, 'replace') }]);
  useHolding(marked.value !== null);
  const answer = questions.owners.answer.value?.body;
  const row = questions.all.value?.find(({ owner }) => owner === marked.value);
  return (
    <Page
      title="Workers"
      screen={screen}
      headline={answer ? plural(answer.total_owners, 'worker', 'workers') : null}
      question={addressOf('/stats/owners', asParameters(screenWindow.value))}
      filter={{ ...asParameters(screenWindow.value), ...(marked.value !== null && { lease_owner: marked.value }) }}
    >
      <Head questions={questions} />
      <Notes questions={questions} />
      <Trouble panel={questions.owners} name="Workers" />
      <div class={row ? 'beside' : ''}>
        {row && <Marked questions={questions} row={row} />}
        <div>
          <Newer questions={questions} total={0} />
          <List questions={questions} />
        </div>
      </div>
    </Page>
  );
}

function Head({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.owners.answer.value?.body;
  const rows = questions.all.value;
  return (
    <section class={`head ${questions.owners.current.value ? '' : 'stale'}`} aria-label="Figures">
      {answer && rows ? <Figures answer={answer} rows={rows} /> : <span class="skeleton">…</span>}
      <span class="grow" />
      <Tools />
    </section>
  );
}

const total = (rows: readonly WorkerRow[], key: 'failed' | 'lost' | 'open'): number =>
  rows.reduce((sum, row) => sum + row[key], 0);

function Figures({ answer, rows }: { answer: Owners; rows: readonly WorkerRow[] }): JSX.Element {
  const [failed, open, lost] = [total(rows, 'failed'), total(rows, 'open'), total(rows, 'lost')];
  const bad = rows.filter(({ z }) => z !== null && z >= CLEAR).sort((a, b) => b.z! - a.z!);
  return (
    <>
      <span data-total={answer.total_owners}>
        <b>{count(answer.total_owners)}</b> {workersName(answer.total_owners)}
      </span>
      <span data-failed={failed} class={failed ? 'bad' : ''}>
        <b>{count(failed)}</b> failed
      </span>
      <span class="dim">
        {count(open)} open{lost > 0 && `, ${count(lost)} of them lost`}
      </span>
      {answer.truncated && <span class="dim">the {count(rows.length)} with the most failed runs are shown</span>}
      {bad.length > 0 && (
        <span
          class="outstanding"
          title={`Their share of failures is more than ${CLEAR} standard errors above all others'`}
        >
          {plural(bad.length, 'fails', 'fail')} more than others:{' '}
          {bad.slice(0, MOST_NAMED).map(({ owner }) => (
            <button
              key={owner}
              type="button"
              class="bare"
              aria-pressed={marked.value === owner}
              onClick={() => change({ sel: owner }, 'replace')}
            >
              ✕ <bdi>{owner}</bdi>
            </button>
          ))}
        </span>
      )}
    </>
  );
}

/** What one has to know of the numbers. */
function Notes({ questions }: { questions: Questions }): JSX.Element | null {
  const answer = questions.owners.answer.value?.body;
  const rows = questions.all.value ?? [];
  const notes = [];
  if (Object.keys(filters.value).length) notes.push('Filters do not count here: workers stand with all their runs.');
  if (answer?.previous_complete === false) {
    notes.push('The window before is not whole: the first kept run is younger than its start.');
  }
  if (rows.length > 1 && rows.every(({ z }) => z === null)) {
    notes.push(
      `No worker can be compared with the others: that takes ${ENOUGH} finished runs of it, and a failed one.`,
    );
  }
  return notes.length ? <p class="dim notes">{notes.join(' ')}</p> : null;
}

function Tools(): JSX.Element {
  return (
    <div class="finding">
      <input
        type="search"
        aria-label="Find a worker"
        placeholder="Find a worker"
        value={words.value}
        onInput={(event) => change({ q: event.currentTarget.value || undefined }, 'replace')}
      />
      {/* Where the heads of the table are not seen. */}
      {useNarrow() && (
        <Order
          names={SORTS}
          value={sorting.value.key}
          choose={(key) => change({ sort: sortText(key, { key: '', ascending: false }) })}
        />
      )}
    </div>
  );
}
