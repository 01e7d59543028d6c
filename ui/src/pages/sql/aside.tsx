// What helps to write a query: the schema, queries to begin with, and those of before.

import type { JSX } from 'preact';
import type { Relation, SqlSchema } from '../../api';
import type { SqlState } from './state';

interface Props {
  schema: SqlSchema | null;
  state: SqlState;
  insert(text: string): void;
}

export function Aside({ schema, state, insert }: Props): JSX.Element {
  const begin = (text: string): void => {
    state.text.value = text;
  };
  return (
    <aside class="sql-aside" aria-label="Schema, examples, history">
      <h2>Schema</h2>
      {schema?.relations.map((relation) => (
        <Columns key={relation.name} relation={relation} insert={insert} />
      ))}
      {schema && (
        <details>
          <summary>macros</summary>
          <ul>
            {schema.macros.map(({ name, parameters, doc }) => (
              <li key={name}>
                <button type="button" title={doc} onClick={() => insert(`${name}(`)}>
                  {name}({parameters.join(', ')})
                </button>
              </li>
            ))}
          </ul>
        </details>
      )}
      <h2>Examples</h2>
      <ul class="titles">
        {schema?.examples.map(({ title, sql }) => (
          <li key={title}>
            <button type="button" title={sql} onClick={() => begin(sql)}>
              {title}
            </button>
          </li>
        ))}
      </ul>
      <h2>History</h2>
      {state.history.value.length ? (
        <ul>
          {state.history.value.map((text) => (
            <li key={text}>
              <button type="button" title={text} onClick={() => begin(text)}>
                <bdi>{text.replace(/\s+/g, ' ').slice(0, 80)}</bdi>
              </button>
            </li>
          ))}
        </ul>
      ) : (
        <p class="dim">This browser keeps the queries that it ran.</p>
      )}
    </aside>
  );
}

const Columns = ({ relation, insert }: { relation: Relation; insert(text: string): void }): JSX.Element => (
  <details open={relation.name === 'runs'}>
    <summary title={relation.doc}>{relation.name}</summary>
    <ul>
      {relation.columns.map(({ name, type, doc }) => (
        <li key={name}>
          <button type="button" title={doc} onClick={() => insert(name)}>
            {name} <span class="dim">{type.toLowerCase().replace(' with time zone', 'tz')}</span>
          </button>
        </li>
      ))}
    </ul>
  </details>
);
