// An error text: what went wrong first, then the calls of the task itself; those of libraries are folded.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { libraryFrames } from '../messages';
import { type Frame, parseTrace, plain, type Thrown, type Trace } from '../text/trace';
import { copy } from './clipboard';
import { LongText } from './long_text';
import { Views } from './views';

/** An error with its views. A text of no known kind is shown as it is. */
export function ErrorText({ error }: { error: string }): JSX.Element {
  const trace = parseTrace(error);
  const known = trace.frames.length > 0 || trace.causes.length > 0;
  const view = useSignal<'frames' | 'raw'>('frames');
  return (
    <>
      <div class="tools">
        <h2>Error</h2>
        {known && <Views label="View of the error" names={['frames', 'raw']} shown={view} />}
        <button type="button" onClick={() => copy(error, 'Error')}>
          Copy error
        </button>
      </div>
      {known && view.value === 'frames' ? (
        <Frames trace={trace} />
      ) : (
        <LongText label="Error" text={known ? error : plain(error)} />
      )}
    </>
  );
}

function Frames({ trace }: { trace: Trace }): JSX.Element {
  return (
    <div class="trace">
      <One thrown={trace} />
      {trace.causes.map((cause) => (
        <div key={cause.headline} class="cause">
          <span class="dim">{cause.relation}</span>
          <One thrown={cause} />
        </div>
      ))}
    </div>
  );
}

const LONGEST = 2000; // characters of a headline; the raw view has all of them

function One({ thrown }: { thrown: Thrown }): JSX.Element {
  const { headline, notes } = thrown;
  return (
    <>
      <p class="headline">
        <bdi>{headline.length > LONGEST ? `${headline.slice(0, LONGEST)}…` : headline}</bdi>
      </p>
      {notes.length > 0 && (
        <pre class="notes" dir="auto">
          {notes.slice(0, 40).join('\n')}
        </pre>
      )}
      <ol class="frames" aria-label="Calls, the innermost first">
        {stretches([...thrown.frames].reverse()).map((stretch, at) => (
          <Stretch key={at} stretch={stretch} />
        ))}
      </ol>
    </>
  );
}

/** Neighbouring frames that are all of libraries, or none of them. */
function stretches(frames: Frame[]): Frame[][] {
  const made: Frame[][] = [];
  for (const frame of frames) {
    const last = made.at(-1);
    if (last?.[0]?.library === frame.library) last.push(frame);
    else made.push([frame]);
  }
  return made;
}

const MANY = 12; // frames of a recursion that are shown

function Stretch({ stretch }: { stretch: Frame[] }): JSX.Element {
  if (stretch[0]!.library) {
    return (
      <li>
        <details>
          <summary>{libraryFrames(stretch.length)}</summary>
          <Calls frames={stretch} />
        </details>
      </li>
    );
  }
  const [shown, more] = [stretch.slice(0, MANY), stretch.slice(MANY)];
  return (
    <li>
      <Calls frames={shown} />
      {more.length > 0 && (
        <details>
          <summary>{more.length} more</summary>
          <Calls frames={more} />
        </details>
      )}
    </li>
  );
}

function Calls({ frames }: { frames: Frame[] }): JSX.Element {
  return (
    <ul>
      {frames.map(({ file, line, name, source }, at) => (
        <li key={at}>
          <code dir="ltr">
            <span class="dim">{folderOf(file)}</span>
            {file.slice(folderOf(file).length)}
            {line !== null && `:${line}`}
          </code>{' '}
          <b dir="ltr">{name}</b>
          {source !== null && <code class="source">{source}</code>}
        </li>
      ))}
    </ul>
  );
}

const folderOf = (file: string): string => /^.*[/\\]/.exec(file)?.[0] ?? '';
