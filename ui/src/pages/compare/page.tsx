// Two runs side by side: their fields, their errors, and what is different in their outputs.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Uuid } from '../../api';
import { differingFields } from '../../messages';
import type { Panel, Screen } from '../../net/screen';
import { useScreen } from '../../net/use';
import { LongText } from '../../parts/long_text';
import { MissingRun } from '../../parts/missing';
import { Trouble } from '../../parts/trouble';
import { useShortcuts } from '../../shell/keys';
import { Page } from '../../shell/page';
import { address, go, place } from '../../state/url';
import { now } from '../../state/window';
import { plain } from '../../text/trace';
import { parseRun, runAddress, type StoredRun } from '../run/questions';
import { type Field, fieldsOf } from './fields';
import { Outputs } from './outputs';

const SIDES = ['a', 'b'] as const;
type Side = (typeof SIDES)[number];

const idOf = (side: Side): Uuid | null => place.value.query[side] || null;

function begin(screen: Screen): Record<Side, Panel<StoredRun>> {
  const ask = (side: Side): Panel<StoredRun> =>
    screen.askAddress<StoredRun>(() => {
      const id = idOf(side);
      return id && runAddress(id);
    }, parseRun);
  return { a: ask('a'), b: ask('b') };
}

/** The list with both runs marked. */
function backToRuns(): void {
  const marks = SIDES.flatMap((side) => place.peek().query[side] ?? []).join(',');
  go(address('/ui/runs', { marks: marks || undefined }));
}

export function ComparePage(): JSX.Element {
  const [screen, panels] = useScreen(begin);
  const [one, other] = SIDES.map((side) => panels[side].answer.value?.body);
  useShortcuts([{ keys: 'Escape', does: 'Back to the list of runs', run: backToRuns }]);
  const stale = SIDES.some((side) => !panels[side].current.value);
  return (
    <Page title="Compare two runs" screen={screen} copies={[]}>
      <div class="tools">
        <h2>Two runs compared</h2>
        <button type="button" onClick={backToRuns}>
          ‹ List of runs
        </button>
        <button type="button" onClick={() => go(address(place.value.path, { a: idOf('b') ?? '', b: idOf('a') ?? '' }))}>
          Swap A and B
        </button>
      </div>
      {SIDES.map((side) => (
        <Missing key={side} side={side} panel={panels[side]} />
      ))}
      {one && other && (
        <article class={`run compared ${stale ? 'stale' : ''}`}>
          <Fields one={one} other={other} />
          <Errors one={one} other={other} />
          <Outputs one={one.output} other={other.output} />
        </article>
      )}
    </Page>
  );
}

/** Why a side is not here. */
function Missing({ side, panel }: { side: Side; panel: Panel<StoredRun> }): JSX.Element {
  const id = idOf(side);
  const name = side.toUpperCase();
  if (id === null) return <p class="nothing">Run {name} is not chosen. Mark two runs of the list, and press c.</p>;
  if (panel.trouble.value?.status === 404) return <MissingRun id={id} />;
  return <Trouble panel={panel} name={`Run ${name}`} />;
}

type Both = { one: StoredRun; other: StoredRun };

function Fields({ one, other }: Both): JSX.Element {
  const all = fieldsOf(one, other, now.value);
  const only = useSignal(false);
  const different = all.filter(({ differs }) => differs);
  const head = (name: string, { id }: StoredRun): JSX.Element => (
    <th scope="col">
      {name}{' '}
      <a class="mono" href={address(`/ui/runs/${id}`)} title={id}>
        {id}
      </a>
    </th>
  );
  return (
    <section aria-label="Fields">
      <div class="tools">
        <span class="dim">{differingFields(different.length, all.length)}</span>
        <button
          type="button"
          aria-pressed={only.value}
          onClick={() => {
            only.value = !only.value;
          }}
        >
          Only these
        </button>
      </div>
      <table class="sides" aria-label="Fields of both runs">
        <thead>
          <tr>
            <th scope="col">Field</th>
            {head('A', one)}
            {head('B', other)}
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {(only.value ? different : all).map((field) => (
            <Line key={field.name} field={field} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Line({ field: { name, shown, differs, how } }: { field: Field }): JSX.Element {
  return (
    <tr class={differs ? 'differs' : ''} data-field={name}>
      <th scope="row">{name}</th>
      {shown.map((text, at) => (
        <td key={SIDES[at]} data-side={at ? 'B' : 'A'}>
          {text === null ? <span class="dim">–</span> : <bdi>{text}</bdi>}
        </td>
      ))}
      <td class="how">
        {differs ? (
          <>
            <i aria-hidden="true">≠</i> {how ?? 'differs'}
          </>
        ) : (
          <span class="dim">same</span>
        )}
      </td>
    </tr>
  );
}

function Errors({ one, other }: Both): JSX.Element | null {
  const [a, b] = [one.error, other.error];
  if (a === null && b === null) return null;
  return (
    <section aria-label="Errors">
      <h2>Errors</h2>
      {a === b ? (
        <>
          <p class="dim">Both runs have the same text.</p>
          <LongText label="Error of both runs" text={plain(a!)} />
        </>
      ) : (
        <div class="both">
          <ErrorOf name="A" error={a} />
          <ErrorOf name="B" error={b} />
        </div>
      )}
    </section>
  );
}

const ErrorOf = ({ name, error }: { name: string; error: string | null }): JSX.Element => (
  <div>
    <h3>{name}</h3>
    {error === null ? <p class="dim">No error.</p> : <LongText label={`Error of ${name}`} text={plain(error)} />}
  </div>
);
