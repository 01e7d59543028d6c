// The editor. It lives in a shadow root: there it needs no style element, which the policy of the page would refuse.

import {
  autocompletion,
  type Completion,
  closeBrackets,
  closeBracketsKeymap,
  completeFromList,
} from '@codemirror/autocomplete';
import { history, historyKeymap, standardKeymap } from '@codemirror/commands';
import { SQLDialect, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { SqlSchema } from '../../api';

export interface EditorHandlers {
  changed(text: string): void;
  /** Runs a text; undefined is the whole. */
  run(text?: string): void;
}

/** Words of DuckDB that a SELECT has. */
const DUCKDB = SQLDialect.define({
  keywords:
    'all and any anti array as asc asof at between by case cast collate cross cube current desc describe distinct else end ' +
    'escape except exclude exists false filter first following for from full glob group grouping having ignore ilike in ' +
    'inner intersect interval into is join lambda last lateral left like limit materialized natural not null nulls offset on ' +
    'or order outer over partition pivot positional preceding qualify range recursive repeatable replace respect right rollup ' +
    'row rows sample select semi sets similar summarize table tablesample then ties to true try_cast unbounded union unpivot ' +
    'using values when where window with within without',
  types:
    'bigint blob boolean date decimal double float hugeint int integer interval json map smallint struct text time timestamp ' +
    'timestamptz tinyint ubigint uinteger usmallint utinyint uuid varchar',
  doubleDollarQuotedStrings: true,
});

const COLORS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--success)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--open)' },
  { tag: tags.comment, color: 'var(--dim)', fontStyle: 'italic' },
  { tag: tags.typeName, color: 'var(--lost)' },
]);

const THEME = EditorView.theme({
  '&': { fontSize: '13px', background: 'var(--bg)', color: 'var(--text)', border: '1px solid var(--control)' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, monospace', minHeight: '150px', maxHeight: '40vh', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { background: 'var(--panel)', color: 'var(--dim)', border: 'none' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { background: 'var(--success-fill)' },
  '.cm-matchingBracket': { background: 'var(--success-fill)' },
  '.cm-wrong': { background: 'var(--failed-row)', borderLeft: '3px solid var(--failed)' },
  '.cm-tooltip': { background: 'var(--bg)', border: '1px solid var(--control)', color: 'var(--text)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent)', color: 'var(--bg)' },
});

const setWrong = StateEffect.define<number | null>();
const wrongLine = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, change) {
    for (const effect of change.effects) {
      if (!effect.is(setWrong)) continue;
      const line = effect.value;
      if (line === null || line > change.state.doc.lines) return Decoration.none;
      return Decoration.set(Decoration.line({ class: 'cm-wrong' }).range(change.state.doc.line(line).from));
    }
    return change.docChanged ? Decoration.none : shown;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export class SqlEditor {
  readonly #view: EditorView;
  readonly #language = new Compartment();

  /** An editor in an element, with a text. */
  constructor(host: HTMLElement, text: string, handlers: EditorHandlers) {
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open', delegatesFocus: true });
    const selected = ({ state }: EditorView): boolean => {
      const { from, to } = state.selection.main;
      handlers.run(from === to ? undefined : state.sliceDoc(from, to));
      return true;
    };
    const whole = (): boolean => {
      handlers.run();
      return true;
    };
    this.#view = new EditorView({
      parent: root,
      root,
      doc: text,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: 'Mod-Shift-Enter', run: selected },
            { key: 'Mod-Enter', run: whole },
          ]),
        ),
        // Tab is left to the browser: who has no mouse has to get out again.
        keymap.of([...closeBracketsKeymap, ...standardKeymap, ...historyKeymap]),
        ...[lineNumbers(), history(), drawSelection(), bracketMatching(), closeBrackets(), autocompletion()],
        ...[syntaxHighlighting(COLORS), THEME, wrongLine, EditorView.lineWrapping],
        this.#language.of(languageOf(null)),
        EditorView.domEventHandlers({ beforeinput: replaced }),
        EditorView.contentAttributes.of({ 'aria-label': 'Query in SQL' }),
        EditorView.updateListener.of((change) => {
          if (change.docChanged) handlers.changed(change.state.doc.toString());
        }),
      ],
    });
  }

  /** Completes names of this schema. */
  complete(schema: SqlSchema): void {
    this.#view.dispatch({ effects: this.#language.reconfigure(languageOf(schema)) });
  }

  /** Shows another text, unless it is there. */
  show(text: string): void {
    const { doc } = this.#view.state;
    if (doc.toString() !== text) this.#view.dispatch({ changes: { from: 0, to: doc.length, insert: text } });
  }

  /** Puts a text in place of the selection. */
  insert(text: string): void {
    this.#view.dispatch(this.#view.state.replaceSelection(text));
    this.#view.focus();
  }

  /** Marks a line, from 1; null marks none. */
  mark(line: number | null): void {
    this.#view.dispatch({ effects: setWrong.of(line) });
  }

  destroy(): void {
    this.#view.destroy();
  }
}

/** Types over a selection without the browser, which would keep its colours in a style attribute: the policy refuses it. */
function replaced(event: InputEvent, view: EditorView): boolean {
  const { data } = event;
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== 'insertText' || !data || empty || event.isComposing) return false;
  event.preventDefault();
  const insert = (): ReturnType<typeof view.state.update> => view.state.update(view.state.replaceSelection(data));
  const taken = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, data, insert));
  if (!taken) view.dispatch(insert());
  return true;
}

function languageOf(schema: SqlSchema | null): Extension {
  const columns = (schema?.relations ?? []).map(({ name, columns: all }) => [name, all.map((column) => column.name)]);
  const macros = (schema?.macros ?? []).map(
    ({ name, parameters, doc }): Completion => ({
      label: name,
      detail: `(${parameters.join(', ')})`,
      info: doc,
      type: 'function',
    }),
  );
  return [
    sql({
      dialect: DUCKDB,
      schema: Object.fromEntries(columns) as Record<string, string[]>,
      upperCaseKeywords: true,
    }),
    DUCKDB.language.data.of({ autocomplete: completeFromList(macros) }),
  ];
}
