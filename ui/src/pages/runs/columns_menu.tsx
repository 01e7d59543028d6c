// The menu in which the columns of a list are chosen.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Popover } from '../../parts/popover';
import { typedPath } from '../../text/json_path';
import {
  COLUMN_KEYS,
  COLUMN_NAMES,
  chosenColumns,
  columnOf,
  isUsual,
  MOST_COLUMNS,
  pathOf,
  toggleColumn,
  usualColumns,
} from './chosen';

export function ColumnsMenu({ without }: { without: string | undefined }): JSX.Element {
  const paths = chosenColumns.value.filter((key) => pathOf(key) !== null);
  return (
    <Popover label="columns ▾" name="Columns of the list" class="columns-button">
      <div class="stack columns-menu">
        <fieldset>
          <legend>Columns</legend>
          {COLUMN_KEYS.filter((key) => key !== without).map((key) => (
            <Choice key={key} column={key} name={COLUMN_NAMES[key]} />
          ))}
        </fieldset>
        {paths.length > 0 && (
          <fieldset>
            <legend>From the output</legend>
            {paths.map((key) => (
              <Choice key={key} column={key} name={pathOf(key)!} />
            ))}
          </fieldset>
        )}
        <AddPath />
        {!isUsual.value && (
          <button type="button" onClick={usualColumns}>
            Usual columns
          </button>
        )}
      </div>
    </Popover>
  );
}

function Choice({ column, name }: { column: string; name: string }): JSX.Element {
  const chosen = chosenColumns.value;
  const shown = chosen.includes(column);
  return (
    <label class="row">
      <input
        type="checkbox"
        checked={shown}
        disabled={shown ? chosen.length === 1 : chosen.length >= MOST_COLUMNS}
        onChange={() => toggleColumn(column)}
      />
      <bdi>{name}</bdi>
    </label>
  );
}

/** A column for a value within the outputs. */
function AddPath(): JSX.Element {
  const wrong = useSignal('');
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const typed = String(new FormData(form).get('path'));
    const path = typedPath(typed);
    wrong.value = path === null ? typed : '';
    if (path === null) return;
    if (!chosenColumns.peek().includes(columnOf(path))) toggleColumn(columnOf(path));
    form.reset();
  };
  return (
    <form onSubmit={add} class="row">
      <label class="grow">
        A value of the output
        <input name="path" autocomplete="off" placeholder="$.rows" required aria-invalid={wrong.value !== ''} />
      </label>
      <button type="submit" disabled={chosenColumns.value.length >= MOST_COLUMNS}>
        Add
      </button>
      {wrong.value && <p class="wrong">This is no path: {wrong.value}. One is $.stages[0].name</p>}
    </form>
  );
}
