// The marked worker: its runs over time, and what is different about its failures.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { paintBars } from '../../chart/bars';
import type { Brush } from '../../chart/brush';
import { Frame } from '../../chart/frame';
import { countTicks } from '../../chart/ticks';
import { bucket, histogramSentence } from '../../messages';
import { Different } from '../../parts/different';
import { Message, messageText } from '../../parts/message';
import { Trouble } from '../../parts/trouble';
import { between, parseRange } from '../../state/range';
import { address, change } from '../../state/url';
import { show } from '../../state/window';
import { zone } from '../../state/zone';
import { count, percent } from '../../text/number';
import { minute, span } from '../../text/time';
import { axisOf, widthName } from '../runs/charts';
import { runsOf, Standing } from './list';
import { type Questions, tooLong } from './questions';
import type { WorkerRow } from './rows';

const HEIGHT = 90; // CSS pixels

export function Marked({ questions, row }: { questions: Questions; row: WorkerRow }): JSX.Element {
  return (
    <aside class="worker-panel" aria-label={`Worker ${row.owner}`}>
      <div class="row">
        <h2>
          <bdi>{row.owner}</bdi>
        </h2>
        <span class="grow" />
        <button
          type="button"
          class="bare"
          aria-label="Close"
          title="Close  Esc"
          onClick={() => change({ sel: undefined }, 'replace')}
        >
          ✕
        </button>
      </div>
      <Standing z={row.z} />
      <p>
        <b>{count(row.failed)}</b> of {count(row.runs - row.open)} finished runs failed
        {row.rate !== null && ` (${percent(row.rate)})`}
        <Others questions={questions} row={row} />
      </p>
      {tooLong.value ? <Short /> : <Runs questions={questions} owner={row.owner} />}
    </aside>
  );
}

/** The share of failures of all other workers. */
function Others({ questions, row }: { questions: Questions; row: WorkerRow }): JSX.Element | null {
  const all = questions.all.value ?? [];
  const finished = all.reduce((sum, { runs, open }) => sum + runs - open, 0) - (row.runs - row.open);
  const failed = all.reduce((sum, other) => sum + other.failed, 0) - row.failed;
  if (finished <= 0 || questions.owners.answer.value?.body.truncated) return null;
  return <span class="dim">, of all others {percent(failed / finished)}</span>;
}

/** The window is longer than the runs of one worker are found for. */
function Short(): JSX.Element {
  return (
    <p>
      The window is longer than 31 days: over so long the runs of one worker are not found.{' '}
      <button type="button" onClick={() => show(parseRange('30d', zone.value)!)}>
        Show the last 30 days
      </button>
    </p>
  );
}

function Runs({ questions, owner }: { questions: Questions; owner: string }): JSX.Element {
  const groups = questions.errors.answer.value?.body.groups ?? [];
  return (
    <>
      <p class="row">
        <a href={runsOf(owner)}>All its runs</a>
        <a href={runsOf(owner, 'failed')}>Its failed runs</a>
      </p>
      <Trouble panel={questions.histogram} name="Its runs over time" />
      <Bars questions={questions} />
      <Trouble panel={questions.errors} name="Its errors" />
      <Different
        panel={questions.breakdown}
        title="What is different about its failures"
        tooLong={false}
        group={(id) => {
          const group = groups.find((one) => one.id === id);
          return (
            <a href={address(`/ui/errors/${id}`, { error_group: undefined })} title={group && messageText(group)}>
              {group ? <Message group={group} /> : <bdi>{id}</bdi>}
            </a>
          );
        }}
      />
    </>
  );
}

function Bars({ questions }: { questions: Questions }): JSX.Element {
  const hover = useSignal<number | null>(null);
  const brush = useSignal<Brush | null>(null);
  const zoom = (part: Brush | null): void => {
    if (!part) return;
    brush.value = null;
    show(between(part.from, part.to));
  };
  const answer = questions.histogram.answer.value?.body;
  const buckets = questions.buckets.value;
  if (!answer || !buckets) return <div class="plot waiting" style={{ height: `${HEIGHT + 36}px` }} />;
  const axis = axisOf(answer);
  const { edges, success, failed, open, greatest } = buckets;
  const most = Math.max(...failed);
  const worst = `${minute(edges[failed.indexOf(most)]!, zone.value)}: ${count(most)}`;
  const name = (at: number): string =>
    span(Math.max(axis.start, edges[at]!), Math.min(axis.end, edges[at + 1]!), zone.value);
  const bad = failed.reduce((sum, n) => sum + n, 0);
  return (
    <div class={questions.histogram.current.value ? '' : 'stale'}>
      <Frame
        title="Its runs"
        note={`${widthName(answer.width)} each`}
        height={HEIGHT}
        grid={{ axis, columns: edges }}
        paint={(surface) => paintBars(surface, axis, buckets, null)}
        marks={countTicks(greatest, 3).map(({ at, text }) => ({ share: at / greatest, text }))}
        sentence={histogramSentence(success.length, widthName(answer.width), answer.total, bad, worst)}
        describe={(at) => bucket(name(at), success[at]!, failed[at]!, open[at]!)}
        table={() => ({
          heads: ['From', 'Success', 'Failed', 'Open'],
          rows: success.map((n, at) => [minute(edges[at]!, zone.value), ...[n, failed[at]!, open[at]!].map(count)]),
        })}
        hover={hover}
        brush={brush}
        handlers={{
          select: (part) => {
            brush.value = part;
          },
          zoom,
        }}
      />
      {brush.value && (
        <button type="button" onClick={() => zoom(brush.value)}>
          Show only {span(brush.value.from, brush.value.to, zone.value)}
        </button>
      )}
    </div>
  );
}
