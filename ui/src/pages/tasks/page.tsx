// Tasks: the whole fleet as one table, those that need attention first.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { addressOf } from '../../net/ask';
import { useScreen } from '../../net/use';
import { Empty } from '../../parts/empty';
import { Trouble } from '../../parts/trouble';
import { useShortcuts } from '../../shell/keys';
import { Page } from '../../shell/page';
import { chosenFilters } from '../../state/filters';
import { address, change, go, place } from '../../state/url';
import { asParameters, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { markRank } from '../../table/list';
import { Table } from '../../table/table';
import { plural } from '../../text/number';
import { span } from '../../text/time';
import { useHolding } from '../runs/list';
import { columns } from './columns';
import { type Fleet, fleetOf, type TaskRow } from './fleet';
import { byTag, grouped, isGroup, type Line, toggleFolded, toggleGrouped } from './groups';
import { isText, SORTS, sorted } from './order';
import { STATE_NAMES, STATES, type State } from './states';

const PARTS = 30; // of a spark line

export function TasksPage(): JSX.Element {
  const [screen, fleet] = useScreen((made) => fleetOf(made, PARTS));
  const total = fleet.counts[0]!.answer.value?.body.total_tasks;
  return (
    <Page
      title="Tasks"
      screen={screen}
      headline={total === undefined ? null : plural(total, 'task', 'tasks')}
      question={addressOf('/stats/tasks', asParameters(screenWindow.value))}
    >
      <Head fleet={fleet} />
      <Trouble panel={fleet.counts[0]!} name="Tasks" />
      <Trouble panel={fleet.durations[0]!} name="Durations of tasks" />
      <NotFiltered />
      <Rows fleet={fleet} />
    </Page>
  );
}

const stateOf = (text: string | undefined): State | null => STATE_NAMES.find((name) => name === text) ?? null;

/** How many tasks there are of each state; a click shows only those. */
function Head({ fleet }: { fleet: Fleet }): JSX.Element {
  const rows = fleet.rows.value;
  const answer = fleet.counts[0]!.answer.value?.body;
  const shown = stateOf(place.value.query['state']);
  return (
    <section class={`head ${fleet.current.value ? '' : 'stale'}`} aria-label="Figures">
      {rows && answer ? (
        <>
          <span data-total={answer.total_tasks}>
            <b>{answer.total_tasks.toLocaleString('en')}</b> {plural(answer.total_tasks, 'task', 'tasks').split(' ')[1]}
          </span>
          {STATE_NAMES.map((state) => {
            const n = rows.filter((row) => row.states.includes(state)).length;
            return (
              <button
                key={state}
                type="button"
                class={`state ${n ? state : 'none'}`}
                title={STATES[state].means}
                aria-pressed={shown === state}
                data-state={n}
                onClick={() => change({ state: shown === state ? undefined : state, sel: undefined })}
              >
                <i aria-hidden="true">{STATES[state].glyph}</i> <b>{n.toLocaleString('en')}</b> {STATES[state].many}
              </button>
            );
          })}
        </>
      ) : (
        <span class="skeleton">…</span>
      )}
      <span class="grow" />
      <GroupButton rows={rows} />
      <Find />
    </section>
  );
}

function GroupButton({ rows }: { rows: readonly TaskRow[] | null }): JSX.Element {
  const none = !rows?.some(({ tags }) => tags.length);
  return (
    <button
      type="button"
      aria-pressed={grouped.value}
      disabled={none && !grouped.value}
      title={none ? 'No task has a tag' : 'A task with several tags stands below each of them'}
      onClick={toggleGrouped}
    >
      Group by tag
    </button>
  );
}

function Find(): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: 'n', does: 'Find a task by its name', run: () => field.current?.focus() }]);
  return (
    <input
      ref={field}
      type="search"
      class="find"
      aria-label="Find tasks by name, tag or id"
      placeholder="Find a task"
      value={place.value.query['q'] ?? ''}
      onInput={(event) => change({ q: event.currentTarget.value || undefined, sel: undefined }, 'replace')}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}

/** The API counts tasks over all runs, so the filters of the bar do nothing here. */
function NotFiltered(): JSX.Element | null {
  return Object.keys(chosenFilters.value).length ? (
    <p class="note">Tasks are counted over all runs of the window: the filters above do not apply to this table.</p>
  ) : null;
}

const matches = (row: TaskRow, words: string): boolean =>
  [row.name ?? '', row.id, ...row.tags].some((text) => text.toLowerCase().includes(words));

function Rows({ fleet }: { fleet: Fleet }): JSX.Element {
  const sorting = useComputed(() => {
    const { sort, order } = place.value.query;
    const key = sort && sort in SORTS ? sort : 'attention';
    return { key, ascending: order ? order === 'asc' : isText(key) };
  });
  const shown = useComputed(() => {
    const words = (place.value.query['q'] ?? '').trim().toLowerCase();
    const state = stateOf(place.value.query['state']);
    const rows = fleet.rows.value ?? [];
    return rows.filter((row) => (!state || row.states.includes(state)) && (!words || matches(row, words)));
  });
  const list = useComputed<readonly Line[]>(() => {
    const { key, ascending } = sorting.value;
    return grouped.value ? byTag(shown.value, key, ascending) : sorted(shown.value, key, ascending);
  });
  const selected = useComputed(() => place.value.query['sel'] ?? null);
  useHolding(selected.value !== null);
  useShortcuts([{ keys: 'Escape', does: 'No row is marked', run: () => change({ sel: undefined }, 'replace') }]);
  const known = fleet.rows.value !== null;
  if (known && !list.value.length) return <Nothing total={fleet.rows.value!.length} />;
  const sort = (key: string): void => {
    const { key: before, ascending } = sorting.peek();
    const order = key !== before ? undefined : ascending ? 'desc' : 'asc';
    const usual = order === (isText(key) ? 'asc' : 'desc') ? undefined : order;
    change({ sort: key === 'attention' ? undefined : key, order: usual });
  };
  return (
    <section class="fleet" aria-label="Tasks">
      <Table<Line>
        label="Tasks"
        columns={columns}
        total={known ? list.value.length : 20}
        at={(rank) => list.value[rank]}
        keyOf={({ id }) => id}
        tone={(row) => (isGroup(row) ? 'group-row' : row.states.includes('failing') ? 'failed' : undefined)}
        selected={selected}
        select={(key, rank) => {
          markRank(key === null ? null : rank);
          change({ sel: key ?? undefined }, 'replace');
        }}
        open={open}
        link={(row) => (isGroup(row) ? null : linkTo(row))}
        sorting={sorting.value}
        sort={sort}
        stale={!fleet.current.value}
      />
    </section>
  );
}

/** Opens the page of a task, or folds a group. */
const open = (row: Line): void => (isGroup(row) ? toggleFolded(row.group) : go(linkTo(row)));

const linkTo = (row: TaskRow): string => address(`/ui/tasks/${row.id}`, { task_id: undefined });

/** Why no task is shown, and what would be. */
function Nothing({ total }: { total: number }): JSX.Element {
  const { start, end } = screenWindow.value;
  const { q, state } = place.value.query;
  const when = span(start, end, zone.value);
  if (!total) return <Empty text={`No task had a run in ${when}, nor in the 28 days before its end.`} unfiltered />;
  const named = q ? ` and has “${q}” in its name, tags or id` : '';
  return (
    <Empty text={`None of ${plural(total, 'task', 'tasks')} ${state ? `is ${state}` : 'matches'}${named}.`} unfiltered>
      <button type="button" onClick={() => change({ q: undefined, state: undefined })}>
        All tasks
      </button>
    </Empty>
  );
}
