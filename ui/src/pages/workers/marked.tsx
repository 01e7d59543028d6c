// The marked worker: its runs over time, and what is different about its failures.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Brush } from '../../chart/brush';
import { Different } from '../../parts/different';
import { Message, messageText } from '../../parts/message';
import { OverTime } from '../../parts/over_time';
import { Trouble } from '../../parts/trouble';
import { between, parseRange } from '../../state/range';
import { address, change } from '../../state/url';
import { show } from '../../state/window';
import { zone } from '../../state/zone';
import { count, percent } from '../../text/number';
import { span } from '../../text/time';
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
  const brush = useSignal<Brush | null>(null);
  const select = (part: Brush | null): void => {
    brush.value = part;
  };
  const zoom = (part: Brush | null): void => {
    if (!part) return;
    select(null);
    show(between(part.from, part.to));
  };
  return (
    <>
      <OverTime
        panel={questions.histogram}
        buckets={questions.buckets.value}
        title="Its runs"
        height={HEIGHT}
        brush={brush}
        handlers={{ select, zoom }}
      />
      {brush.value && (
        <button type="button" onClick={() => zoom(brush.value)}>
          Show only {span(brush.value.from, brush.value.to, zone.value)}
        </button>
      )}
    </>
  );
}
