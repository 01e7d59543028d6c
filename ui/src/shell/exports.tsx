// The runs of a screen as a file, as many as there are.

import type { JSX } from 'preact';
import type { ExportQuery } from '../api';
import { addressOf } from '../net/ask';
import { Popover } from '../parts/popover';
import type { RawFilter } from '../text/copy';

const FORMATS: [NonNullable<ExportQuery['format']>, string][] = [
  ['parquet', 'Parquet'],
  ['arrow', 'Arrow'],
  ['csv', 'CSV'],
  ['ndjson', 'NDJSON'],
];

/** A link for each format. The browser saves what it gives, and sends its cookie. */
export function ExportMenu({ filter }: { filter: RawFilter }): JSX.Element {
  return (
    <Popover label="Export ▾" name="Export the runs of this screen">
      {(close) => (
        <ul class="menu">
          {FORMATS.map(([format, name]) => (
            <li key={format}>
              <a href={addressOf('/export/runs', { ...filter, format })} download onClick={close}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
