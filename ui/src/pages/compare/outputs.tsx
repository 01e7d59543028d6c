// The outputs of two runs: the values that are not the same, by their paths.

import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { differentValues } from '../../messages';
import { JsonIndex, visible } from '../../text/json';
import { type Difference, differences } from '../../text/json_diff';

const MOST = 500; // values
const LONGEST = 300; // characters of a value

export function Outputs({ one, other }: { one: string | null; other: string | null }): JSX.Element {
  const found = useMemo(
    () =>
      one === null || other === null || one === other
        ? []
        : differences(new JsonIndex(one), new JsonIndex(other), MOST),
    [one, other],
  );
  return (
    <section aria-label="Outputs" data-differences={found.length}>
      <h2>Outputs</h2>
      <p class="dim">{sentence(one, other, found.length)}</p>
      {found.length > 0 && (
        <table class="sides" aria-label="Values of the outputs that differ">
          <thead>
            <tr>
              <th scope="col">Value</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th scope="col">Difference</th>
            </tr>
          </thead>
          <tbody>
            {found.map((difference, at) => (
              <Line key={`${at} ${difference.path}`} {...difference} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function sentence(one: string | null, other: string | null, found: number): string {
  if (one === null && other === null) return 'Neither run has an output.';
  if (one === null || other === null) return `Only ${one === null ? 'B' : 'A'} has an output.`;
  if (one === other) return 'The outputs are the same.';
  if (!found) return 'The outputs have the same values; only the order of their members differs.';
  return differentValues(found, MOST);
}

function Line({ path, one, other }: Difference): JSX.Element {
  const [glyph, word] = one === null ? ['+', 'only in B'] : other === null ? ['−', 'only in A'] : ['≠', 'differs'];
  return (
    <tr class="differs">
      <th scope="row">
        <code dir="ltr">{path}</code>
      </th>
      <Side name="A" source={one} />
      <Side name="B" source={other} />
      <td class="how">
        <i aria-hidden="true">{glyph}</i> {word}
      </td>
    </tr>
  );
}

/** A value as it stands in the output. */
function Side({ name, source }: { name: string; source: string | null }): JSX.Element {
  const text = source === null ? null : visible(source);
  return (
    <td data-side={name}>
      {text === null ? (
        <span class="dim">–</span>
      ) : (
        <code>
          <bdi>{text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}</bdi>
        </code>
      )}
    </td>
  );
}
