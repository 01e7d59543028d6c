// Runs over time as bars by outcome, of one thing: of a group of errors, of a worker.

import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Histogram } from '../api';
import { type Buckets, paintBars } from '../chart/bars';
import type { Brush, Handlers } from '../chart/brush';
import { Frame } from '../chart/frame';
import { countTicks } from '../chart/ticks';
import { bucket, groupBucket, histogramSentence } from '../messages';
import type { Panel } from '../net/screen';
import { axisOf, widthName } from '../pages/runs/charts';
import { zone } from '../state/zone';
import { count, sum } from '../text/number';
import { minute, span } from '../text/time';
import { Trouble, Waiting } from './trouble';

interface OverTimeProps {
  panel: Panel<Histogram>;
  /** The same answer, bucket by bucket. */
  buckets: Buckets | null;
  title: string;
  /** Height of the picture in CSS pixels. */
  height: number;
  /** Whether all of these runs failed. */
  failedOnly?: boolean;
  brush: ReadonlySignal<Brush | null>;
  handlers: Handlers;
}

export function OverTime(props: OverTimeProps): JSX.Element {
  const answer = props.panel.answer.value?.body;
  return (
    <>
      <Trouble panel={props.panel} name={props.title} />
      {answer && props.buckets ? (
        <Picture {...props} answer={answer} buckets={props.buckets} />
      ) : (
        <Waiting panel={props.panel} height={props.height + 36} />
      )}
    </>
  );
}

interface PictureProps extends OverTimeProps {
  answer: Histogram;
  buckets: Buckets;
}

function Picture({ answer, buckets, panel, title, height, failedOnly, brush, handlers }: PictureProps): JSX.Element {
  const hover = useSignal<number | null>(null);
  const axis = axisOf(answer);
  const { edges, success, failed, open, greatest } = buckets;
  const most = Math.max(...failed);
  const worst = `${minute(edges[failed.indexOf(most)]!, zone.value)}: ${count(most)}`;
  const name = (at: number): string =>
    span(Math.max(axis.start, edges[at]!), Math.min(axis.end, edges[at + 1]!), zone.value);
  const shown = failedOnly ? { Failed: failed } : { Success: success, Failed: failed, Open: open };
  return (
    <div class={panel.current.value ? '' : 'stale'}>
      <Frame
        title={title}
        note={`${widthName(answer.width)} each`}
        height={height}
        grid={{ axis, columns: edges }}
        paint={(surface) => paintBars(surface, axis, buckets)}
        marks={(answer.total ? countTicks(greatest, 3) : []).map(({ at, text }) => ({ share: at / greatest, text }))}
        sentence={histogramSentence(failed.length, widthName(answer.width), answer.total, sum(failed), worst)}
        describe={(at) =>
          failedOnly
            ? groupBucket(name(at), failed[at]!, [], 0)
            : bucket(name(at), success[at]!, failed[at]!, open[at]!)
        }
        table={() => ({
          heads: ['From', ...Object.keys(shown)],
          rows: failed.map((_, at) => [
            minute(edges[at]!, zone.value),
            ...Object.values(shown).map((counts) => count(counts[at]!)),
          ]),
        })}
        hover={hover}
        brush={brush}
        handlers={handlers}
      />
    </div>
  );
}
