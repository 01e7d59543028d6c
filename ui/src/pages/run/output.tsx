// The output of a run: a tree of its values, or its text.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Uuid } from '../../api';
import { sizeOf } from '../../messages';
import { copy } from '../../parts/clipboard';
import { LongText } from '../../parts/long_text';
import { Views } from '../../parts/views';
import { JsonIndex, pretty } from '../../text/json';
import { AddColumn } from './add_column';
import { JsonTree } from './tree';

interface OutputProps {
  text: string;
  /** The task of the run. */
  task: Uuid;
}

export function Output({ text, task }: OutputProps): JSX.Element {
  const index = useMemo(() => new JsonIndex(text), [text]);
  const holds = index.size[0]! > 0;
  const view = useSignal<'tree' | 'text' | 'raw'>('tree');
  return (
    <section aria-label="Output" class="output">
      <div class="tools">
        <h2>
          Output <span class="dim note">{sizeOf(text.length)}</span>
        </h2>
        {holds && <Views label="View of the output" names={['tree', 'text', 'raw']} shown={view} />}
        <button type="button" onClick={() => copy(text, 'Output')}>
          Copy output
        </button>
      </div>
      {holds && view.value === 'tree' ? (
        <JsonTree key={text} index={index} more={(path) => <AddColumn path={path} task={task} />} />
      ) : (
        <LongText key={view.value} label="Output" text={view.value === 'text' ? pretty(text) : text} />
      )}
    </section>
  );
}
