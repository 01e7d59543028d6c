// Arrays of objects in an output, each as a table.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { partOf, tableCut } from '../../messages';
import { type JsonIndex, jsonPath, visible } from '../../text/json';
import { rowsOf } from '../../text/json_table';
import { count, plural } from '../../text/number';

const STEP = 200; // rows that are shown at first, and more with each click
const MOST = 40; // columns
const LONGEST = 200; // characters of a value

export function OutputTables({ index, tables }: { index: JsonIndex; tables: readonly number[] }): JSX.Element {
  return (
    <>
      {tables.map((array) => (
        <OutputTable key={array} index={index} array={array} />
      ))}
    </>
  );
}

function OutputTable({ index, array }: { index: JsonIndex; array: number }): JSX.Element {
  const { keys, rows } = useMemo(() => rowsOf(index, array), [index, array]);
  const shown = useSignal(STEP);
  const columns = keys.slice(0, MOST);
  const path = jsonPath(index, array);
  return (
    <>
      <p class="table-name">
        <code dir="ltr">{path}</code> <span class="dim">{plural(rows.length, 'row', 'rows')}</span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="long cells" tabIndex={0} aria-label={`Table of ${path}`}>
        <table>
          <thead>
            <tr>
              <th scope="col" class="number">
                #
              </th>
              {columns.map((key) => (
                <th key={key} scope="col">
                  <bdi>{visible(key) || '""'}</bdi>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, shown.value).map((row, at) => (
              <tr key={at}>
                <td class="number dim">{count(at)}</td>
                {columns.map((key) => (
                  <Cell key={key} index={index} value={row.get(key)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {keys.length > MOST && <p class="dim">{tableCut(MOST, keys.length)}</p>}
      {rows.length > shown.value && (
        <p class="row">
          <span class="dim">{partOf(shown.value, rows.length, 'rows')}</span>
          <button
            type="button"
            onClick={() => {
              shown.value += 5 * STEP;
            }}
          >
            Show more
          </button>
        </p>
      )}
    </>
  );
}

/** A value as it stands in the output; nothing where an item has none. */
function Cell({ index, value }: { index: JsonIndex; value: number | undefined }): JSX.Element {
  if (value === undefined) return <td />;
  const [kind, source] = [index.kindOf(value), index.sourceOf(value)];
  const text = kind === 'string' ? visible(JSON.parse(source) as string) : source;
  const long = text.length > LONGEST;
  return (
    <td class={kind} title={text.length > 40 ? text.slice(0, 2000) : undefined}>
      <bdi>{long ? `${text.slice(0, LONGEST)}…` : text}</bdi>
    </td>
  );
}
