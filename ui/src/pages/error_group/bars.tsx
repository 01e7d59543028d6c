// The runs of a group over time.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { paintBars } from '../../chart/bars';
import { Frame } from '../../chart/frame';
import { countTicks } from '../../chart/ticks';
import { groupBucket, histogramSentence } from '../../messages';
import { Trouble } from '../../parts/trouble';
import { zone } from '../../state/zone';
import { count } from '../../text/number';
import { minute, span } from '../../text/time';
import { axisOf, widthName } from '../runs/charts';
import { brush, select, zoom } from '../runs/selection';
import type { Questions } from './questions';

const HEIGHT = 100; // CSS pixels

export function Bars({ questions }: { questions: Questions }): JSX.Element {
  return (
    <div class="charts">
      <Trouble panel={questions.histogram} name="Runs of the group over time" />
      <Picture questions={questions} />
    </div>
  );
}

function Picture({ questions }: { questions: Questions }): JSX.Element {
  const hover = useSignal<number | null>(null);
  const answer = questions.histogram.answer.value?.body;
  const buckets = questions.buckets.value;
  if (!answer || !buckets) return <div class="plot waiting" style={{ height: `${HEIGHT + 36}px` }} />;
  const axis = axisOf(answer);
  const { edges, failed, greatest } = buckets;
  const most = Math.max(...failed);
  const worst = `${minute(edges[failed.indexOf(most)]!, zone.value)}: ${count(most)}`;
  const name = (at: number): string =>
    span(Math.max(axis.start, edges[at]!), Math.min(axis.end, edges[at + 1]!), zone.value);
  return (
    <div class={questions.histogram.current.value ? '' : 'stale'}>
      <Frame
        title="Runs of this group"
        note={`${widthName(answer.width)} each`}
        height={HEIGHT}
        grid={{ axis, columns: edges }}
        paint={(surface) => paintBars(surface, axis, buckets, null)}
        marks={(answer.total ? countTicks(greatest, 3) : []).map(({ at, text }) => ({ share: at / greatest, text }))}
        sentence={histogramSentence(failed.length, widthName(answer.width), answer.total, answer.total, worst)}
        describe={(at) => groupBucket(name(at), failed[at]!, [], 0)}
        table={() => ({
          heads: ['From', 'Failed'],
          rows: failed.map((n, at) => [minute(edges[at]!, zone.value), count(n)]),
        })}
        hover={hover}
        brush={brush}
        handlers={{ select, zoom }}
      />
    </div>
  );
}
