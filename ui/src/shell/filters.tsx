// The filters of the address as chips, and the form that adds one.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { FILTER_NAMES, OUTCOMES } from '../messages';
import { namedTasks, taskName } from '../net/names';
import { Popover } from '../parts/popover';
import { chosenFilters, clearFilters, FILTERS, type FilterKey, filterBy, filters } from '../state/filters';
import { duration, parseDuration } from '../text/duration';

export function Filters(): JSX.Element {
  const set = FILTERS.filter((key) => chosenFilters.value[key] !== undefined);
  return (
    <fieldset class="filters group" aria-label="Filters">
      {set.map((key) => (
        <Chip key={key} name={key} value={chosenFilters.value[key]!} />
      ))}
      <Popover label="+ filter" name="Add a filter" class="add-filter">
        {(close) => <Form close={close} />}
      </Popover>
      {set.length > 1 && (
        <button type="button" class="bare dim" onClick={clearFilters}>
          clear all
        </button>
      )}
    </fieldset>
  );
}

function Chip({ name, value }: { name: FilterKey; value: string }): JSX.Element {
  const text = `${FILTER_NAMES[name]}: ${shown(name, value)}`;
  return (
    <span class="chip">
      <bdi>{text}</bdi>
      <button type="button" onClick={() => filterBy(name, undefined)} aria-label={`Remove the filter ${text}`}>
        ✕
      </button>
    </span>
  );
}

/** The value of a filter as people read it. */
function shown(name: FilterKey, value: string): string {
  if (name === 'task_id') return value.split(',').map(taskName).join(', ');
  const seconds = Number(value);
  return name.startsWith('duration') && seconds >= 0 ? duration(seconds) : value.replaceAll(',', ', ');
}

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** The value of a filter for the API, from what was typed; null when it cannot be one. */
function meant(name: FilterKey, typed: string): string | null {
  const text = typed.trim();
  if (name === 'task_id') {
    if (UUID.test(text)) return text.toLowerCase();
    const found = namedTasks.value.filter((task) => task.name === text).map((task) => task.id);
    return found.length ? found.join(',') : null;
  }
  if (name.startsWith('duration')) return parseDuration(text)?.toString() ?? null;
  return text || null;
}

const HINTS: Partial<Record<FilterKey, string>> = {
  task_id: 'name or id',
  lease_owner: 'worker-007',
  error: 'at least 3 characters',
  error_group: 'v1:…',
  attempt_min: '2',
  duration_min: '90, 1.5h, 1 m 30 s',
  duration_max: '90, 1.5h, 1 m 30 s',
};

function Form({ close }: { close: () => void }): JSX.Element {
  const name = useSignal<FilterKey>('status');
  const wrong = useSignal('');
  const apply = (data: FormData): void => {
    const typed = name.value === 'status' ? data.getAll('value').join(',') : String(data.get('value') ?? '');
    const value = meant(name.value, typed);
    wrong.value = value === null ? typed : '';
    if (value === null) return;
    filterBy(name.value, value);
    close();
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        apply(new FormData(event.currentTarget));
      }}
    >
      <label>
        Filter by
        <select
          value={name.value}
          onChange={(event) => {
            name.value = event.currentTarget.value as FilterKey;
            wrong.value = '';
          }}
        >
          {FILTERS.map((key) => (
            <option key={key} value={key}>
              {FILTER_NAMES[key]}
            </option>
          ))}
        </select>
      </label>
      <Value name={name.value} />
      {wrong.value && <p class="wrong">Nothing has this value: {wrong.value}</p>}
      <button type="submit">Apply</button>
    </form>
  );
}

function Value({ name }: { name: FilterKey }): JSX.Element {
  if (name === 'status') {
    const set = (filters.value.status ?? '').split(',');
    return (
      <fieldset>
        <legend>Any of</legend>
        {Object.entries(OUTCOMES).map(([key, { glyph, word }]) => (
          <label key={key} class={`outcome ${key}`}>
            <input type="checkbox" name="value" value={key} defaultChecked={set.includes(key)} />
            {glyph} {word}
          </label>
        ))}
      </fieldset>
    );
  }
  if (name === 'success') {
    return (
      <label>
        Value
        <select name="value">
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      </label>
    );
  }
  return (
    <label>
      Value
      <input
        key={name}
        name="value"
        list={name === 'task_id' ? 'tasks' : undefined}
        autocomplete="off"
        placeholder={HINTS[name]}
      />
      {name === 'task_id' && (
        <datalist id="tasks">
          {namedTasks.value.slice(0, 500).map(({ id, name: task }) => (
            <option key={id} value={task} />
          ))}
        </datalist>
      )}
    </label>
  );
}
