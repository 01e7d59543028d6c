// An error text: its frames, the innermost first, with those of libraries folded; or as it is.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { libraryFrames } from '../../messages';
import { copy } from '../../parts/clipboard';
import { type Frame, parseTrace, plain } from '../../text/trace';

export function Trace({ text }: { text: string }): JSX.Element {
  const raw = useSignal(false);
  const { headline, frames } = parseTrace(text);
  const whole = raw.value || !frames.length;
  return (
    <div class="trace">
      <div class="row">
        {frames.length > 0 && (
          <>
            <Choice name="frames" raw={false} chosen={raw} />
            <Choice name="raw" raw={true} chosen={raw} />
          </>
        )}
        <button type="button" onClick={() => void copy(text, 'Error')}>
          Copy
        </button>
      </div>
      {whole ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <pre dir="auto" tabIndex={0}>
          {plain(text)}
        </pre>
      ) : (
        <div class="frames">
          <p class="headline">
            <bdi>{headline}</bdi>
          </p>
          <ol>
            {folded(frames.toReversed()).map((part) =>
              part[0]!.library ? (
                <li key={keyOf(part)}>
                  <details>
                    <summary class="dim">{libraryFrames(part.length)}</summary>
                    {part.map((frame) => (
                      <One key={`${frame.file}:${frame.line} ${frame.name}`} frame={frame} />
                    ))}
                  </details>
                </li>
              ) : (
                <li key={keyOf(part)}>
                  <One frame={part[0]!} />
                </li>
              ),
            )}
          </ol>
        </div>
      )}
    </div>
  );
}

function Choice({ name, raw, chosen }: { name: string; raw: boolean; chosen: { value: boolean } }): JSX.Element {
  return (
    <button
      type="button"
      aria-pressed={chosen.value === raw}
      onClick={() => {
        chosen.value = raw;
      }}
    >
      {name}
    </button>
  );
}

const keyOf = (part: Frame[]): string => part.map(({ file, line, name }) => `${file}:${line} ${name}`).join('\n');

/** Own frames one by one, neighbouring frames of libraries together. */
function folded(frames: Frame[]): Frame[][] {
  const parts: Frame[][] = [];
  for (const frame of frames) {
    const last = parts.at(-1);
    if (last && frame.library && last[0]!.library) last.push(frame);
    else parts.push([frame]);
  }
  return parts;
}

function One({ frame }: { frame: Frame }): JSX.Element {
  return (
    <div class="mono">
      <span class="dim">
        <bdi>
          {frame.file}
          {frame.line !== null && `:${frame.line}`}
        </bdi>
      </span>{' '}
      <b>{frame.name}</b>
      {frame.source && <pre dir="auto">{frame.source}</pre>}
    </div>
  );
}
