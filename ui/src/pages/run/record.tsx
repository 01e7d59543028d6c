// All fields of a run as they are stored, its times in two zones, and copies for other places.

import type { JSX } from 'preact';
import { copy } from '../../parts/clipboard';
import { BROWSER, zone } from '../../state/zone';
import { count } from '../../text/number';
import { full, millis } from '../../text/time';
import { copiesOf } from './copies';
import type { StoredRun } from './questions';

const TEXTS = ['id', 'task_id', 'lease_owner'] as const;
const TIMES = ['created_at', 'started_at', 'finished_at', 'leased_until'] as const;

/** The other zone beside UTC: the chosen one, else that of the browser. */
const otherZone = (): string => (zone.value === 'UTC' ? BROWSER : zone.value);

export function Record({ run }: { run: StoredRun }): JSX.Element {
  const other = otherZone();
  return (
    <section aria-label="Record">
      <div class="tools">
        <h2>Record</h2>
        <Copies run={run} />
      </div>
      <dl class="record">
        {TEXTS.map((name) => (
          <Field key={name} name={name} value={run[name]} />
        ))}
        {TIMES.map((name) => {
          const at = run[name];
          return (
            <Field key={name} name={name} value={at}>
              {at !== null && other !== 'UTC' && <span class="dim">{full(millis(at), other)}</span>}
            </Field>
          );
        })}
        <Field name="success" value={run.success === null ? null : String(run.success)} />
        <Field name="attempt" value={String(run.attempt)} />
        <Field name="error" value={run.error === null ? null : `${count(run.error.length)} characters`} />
        <Field name="output" value={run.output === null ? null : `${count(run.output.length)} characters`} />
      </dl>
    </section>
  );
}

interface FieldProps {
  name: string;
  value: string | null;
  children?: JSX.Element | false;
}

function Field({ name, value, children }: FieldProps): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {value === null ? (
          <span class="dim">null</span>
        ) : (
          <span class="mono">
            <bdi>{value}</bdi>
          </span>
        )}{' '}
        {children}
      </dd>
    </>
  );
}

function Copies({ run }: { run: StoredRun }): JSX.Element {
  return (
    <fieldset class="group" aria-label="Copy the run">
      <span class="dim">Copy as</span>
      {copiesOf(run).map(([name, make]) => (
        <button key={name} type="button" onClick={() => copy(make(), name)}>
          {name}
        </button>
      ))}
    </fieldset>
  );
}
