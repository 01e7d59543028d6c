// The output of a run: a tree of its values, tables of its arrays of objects, or its text.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Uuid } from '../../api';
import { sizeOf } from '../../messages';
import { copy } from '../../parts/clipboard';
import { LongText } from '../../parts/long_text';
import { Views } from '../../parts/views';
import { JsonIndex, pretty } from '../../text/json';
import { tablesOf } from '../../text/json_table';
import { AddColumn } from './add_column';
import { OutputTables } from './output_table';
import { JsonTree } from './tree';

type View = 'tree' | 'table' | 'text' | 'raw';

interface OutputProps {
  text: string;
  /** The task of the run. */
  task: Uuid;
}

export function Output({ text, task }: OutputProps): JSX.Element {
  const index = useMemo(() => new JsonIndex(text), [text]);
  const holds = index.size[0]! > 0;
  const tables = useMemo(() => tablesOf(index), [index]);
  const names: View[] = tables.length ? ['tree', 'table', 'text', 'raw'] : ['tree', 'text', 'raw'];
  const view = useSignal<View>('tree');
  return (
    <section aria-label="Output" class="output">
      <div class="tools">
        <h2>
          Output <span class="dim note">{sizeOf(text.length)}</span>
        </h2>
        {holds && <Views label="View of the output" names={names} shown={view} />}
        <button type="button" onClick={() => copy(text, 'Output')}>
          Copy output
        </button>
      </div>
      {holds && view.value === 'tree' ? (
        <JsonTree key={text} index={index} more={(path) => <AddColumn path={path} task={task} />} />
      ) : view.value === 'table' ? (
        <OutputTables index={index} tables={tables} />
      ) : (
        <LongText key={view.value} label="Output" text={view.value === 'text' ? pretty(text) : text} />
      )}
    </section>
  );
}
