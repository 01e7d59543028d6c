// Makes a value of the output a column of the list: of the list beside it, or of all runs of the task.

import type { JSX } from 'preact';
import type { Uuid } from '../../api';
import { address, place } from '../../state/url';
import { chosenColumns, columnOf, columnsQuery, MOST_COLUMNS, toggleColumn, toggled } from '../runs/chosen';

export function AddColumn({ path, task }: { path: string; task: Uuid }): JSX.Element {
  const column = columnOf(path);
  const [isColumn, isFull] = [chosenColumns.value.includes(column), chosenColumns.value.length >= MOST_COLUMNS];
  if (place.value.path.startsWith('/ui/runs/')) {
    const columns = isColumn || isFull ? chosenColumns.value : toggled(column);
    return <a href={address('/ui/runs', { task_id: task, columns: columnsQuery(columns) })}>Column of all its runs</a>;
  }
  return (
    <button
      type="button"
      aria-pressed={isColumn}
      disabled={isFull && !isColumn}
      onClick={() => toggleColumn(column)}
      title={isFull ? `A list has at most ${MOST_COLUMNS} columns` : 'A column of the list for this value'}
    >
      {isColumn ? 'Remove column' : 'Add as column'}
    </button>
  );
}
