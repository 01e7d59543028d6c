// SQL on the same data: an editor, its answer as rows and as a picture, and the whole of it as a file.

import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import '../../app'; // see pages/others
import type { SqlSchema } from '../../api';
import { sqlAnswered } from '../../messages';
import { keyed } from '../../net/about';
import { useScreen } from '../../net/use';
import { copy } from '../../parts/clipboard';
import { Trouble } from '../../parts/trouble';
import { Page } from '../../shell/page';
import { KEY_OPTION, shell } from '../../text/copy';
import { count } from '../../text/number';
import { FORMATS, type Result } from './answer';
import { Aside } from './aside';
import { Chart, canBeDrawn } from './chart';
import { SqlEditor } from './editor';
import { Grid } from './grid';
import { SqlState } from './state';

const FIRST = 'SELECT success, count(*) AS runs\nFROM runs\nGROUP BY success\nORDER BY runs DESC';
type Shown = 'rows' | 'chart';

export function SqlPage(): JSX.Element {
  const [screen, schema] = useScreen((made) => made.ask('/sql/schema', () => ({})));
  const state = useMemo(() => new SqlState(FIRST), []);
  const editor = useRef<SqlEditor | null>(null);
  const view = useSignal<Shown>('rows');
  useEffect(() => () => state.stop(), []);
  const result = state.result.value;
  return (
    <Page title="SQL" screen={screen} copies={copiesOf(state)}>
      <div class="sql">
        <Aside
          schema={schema.answer.value?.body ?? null}
          state={state}
          insert={(text) => editor.current?.insert(text)}
        />
        <div class="sql-main">
          <Trouble panel={schema} name="Schema" />
          <Editor state={state} schema={schema.answer.value?.body ?? null} editor={editor} />
          <Bar state={state} view={view} />
          <Refused state={state} />
          {result &&
            (view.value === 'chart' && canBeDrawn(result) ? <Chart result={result} /> : <Grid result={result} />)}
        </div>
      </div>
    </Page>
  );
}

interface EditorProps {
  state: SqlState;
  schema: SqlSchema | null;
  editor: { current: SqlEditor | null };
}

function Editor({ state, schema, editor }: EditorProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const made = new SqlEditor(host.current!, state.text.peek(), {
      changed: (text) => {
        state.text.value = text;
      },
      run: (text) => void state.run(text),
    });
    editor.current = made;
    const stops = [
      state.text.subscribe((text) => made.show(text)),
      state.refusal.subscribe((refusal) => made.mark(refusal?.line ?? null)),
    ];
    return () => {
      for (const stop of stops) stop();
      editor.current = null;
      made.destroy();
    };
  }, []);
  useEffect(() => {
    if (schema) editor.current?.complete(schema);
  }, [schema]);
  return <div ref={host} class="sql-editor" />;
}

function Bar({ state, view }: { state: SqlState; view: Signal<Shown> }): JSX.Element {
  const running = state.since.value !== null;
  const result = state.result.value;
  return (
    <div class="above">
      <button
        type="button"
        class="primary"
        onClick={() => void state.run()}
        aria-keyshortcuts="Control+Enter Meta+Enter"
      >
        Run <kbd>Ctrl ↵</kbd>
      </button>
      {running && (
        <button type="button" onClick={() => state.stop()}>
          Stop
        </button>
      )}
      <span role="status" class={`sql-status dim ${running ? 'waiting' : ''}`}>
        {running ? 'running…' : result && answered(result)}
      </span>
      <span class="grow" />
      {result && canBeDrawn(result) && (
        <button
          type="button"
          aria-pressed={view.value === 'chart'}
          onClick={() => {
            view.value = view.value === 'chart' ? 'rows' : 'chart';
          }}
        >
          Chart
        </button>
      )}
      {result && (
        <>
          <button type="button" onClick={() => void copy(asTsv(result), 'Rows')}>
            Copy rows
          </button>
          {FORMATS.map((format) => (
            <button
              key={format.end}
              type="button"
              onClick={() => void state.save(format)}
              aria-label={`Save all rows as ${format.name}`}
            >
              {format.name}
            </button>
          ))}
        </>
      )}
    </div>
  );
}

const answered = (result: Result): string =>
  sqlAnswered(result.rows.length, result.truncated, result.ms, count(result.snapshot));

function Refused({ state }: { state: SqlState }): JSX.Element | null {
  const refusal = state.refusal.value;
  if (!refusal) return null;
  return (
    <div class="trouble" role="alert">
      <div>
        <b>{refusal.title}</b>
        <p>
          <bdi>{refusal.detail}</bdi>
        </p>
      </div>
    </div>
  );
}

/** Rows as a spreadsheet takes them. */
function asTsv({ columns, rows }: Result): string {
  const clean = (cell: string | null): string => (cell ?? '').replace(/[\t\r\n]+/g, ' ');
  return [columns.map(({ name }) => name), ...rows].map((row) => row.map(clean).join('\t')).join('\n');
}

/** The query as text, and as commands that ask it. */
function copiesOf(state: SqlState): [string, () => string][] {
  const url = new URL('/sql', location.origin).href;
  return [
    ['Query', () => state.text.peek()],
    ['runlake sql', () => `runlake sql ${shell(state.text.peek())}`],
    [
      'curl',
      () =>
        `curl -s ${keyed.peek() ? `${KEY_OPTION} ` : ''}-H 'Content-Type: application/json' ` +
        `-d ${shell(JSON.stringify({ query: state.text.peek() }))} ${shell(url)}`,
    ],
  ];
}
