// A few runs of a group, of different tasks if there are some: how the error looks, with all that differs.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Run } from '../../api';
import { taskName } from '../../net/names';
import { Task } from '../../parts/task';
import { ErrorText } from '../../parts/trace';
import { When } from '../../parts/when';
import { address } from '../../state/url';
import { zone } from '../../state/zone';
import { millis, moment } from '../../text/time';

export function Samples({ samples }: { samples: readonly Run[] }): JSX.Element | null {
  const chosen = useSignal<string | null>(null);
  const run = samples.find(({ id }) => id === chosen.value) ?? samples[0];
  if (!run) return null;
  return (
    <section class="samples">
      <h2>How it looks</h2>
      <div class="row choices">
        {samples.map((sample, at) => (
          <button
            key={sample.id}
            type="button"
            aria-pressed={sample === run}
            onClick={() => {
              chosen.value = sample.id;
            }}
          >
            {at === 0 && 'newest: '}
            <bdi>{taskName(sample.task_id)}</bdi>{' '}
            <span class="dim">{sample.started_at && moment(millis(sample.started_at), zone.value)}</span>
          </button>
        ))}
      </div>
      <p class="of">
        <a href={address(`/ui/runs/${run.id}`, { error_group: undefined })}>
          Run {run.started_at && <When at={run.started_at} />}
        </a>{' '}
        of <Task id={run.task_id} />
        <span class="dim">
          {run.lease_owner && (
            <>
              {' '}
              on <bdi>{run.lease_owner}</bdi>
            </>
          )}
          , attempt {run.attempt}
        </span>
      </p>
      {run.error && <ErrorText error={run.error} />}
    </section>
  );
}
