// Failed runs over time, by group.

import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Frame } from '../../chart/frame';
import { LETTERS, paintStack } from '../../chart/stack';
import { countTicks } from '../../chart/ticks';
import { groupBucket, histogramSentence } from '../../messages';
import { Message, messageText } from '../../parts/message';
import { Trouble, Waiting } from '../../parts/trouble';
import { zone } from '../../state/zone';
import { count } from '../../text/number';
import { minute, span } from '../../text/time';
import { axisOf, widthName } from '../runs/charts';
import { brush, select, zoom } from '../runs/selection';
import { groupAddress } from './links';
import type { Questions } from './questions';

const HEIGHT = 130; // CSS pixels

interface ChartProps {
  questions: Questions;
  /** The group that is pointed at, or marked in the list. */
  marked: string | null;
  pointed: Signal<string | null>;
}

export function Chart({ questions, marked, pointed }: ChartProps): JSX.Element {
  return (
    <div class="charts">
      <Trouble panel={questions.histogram} name="Failed runs over time" />
      <Picture questions={questions} marked={marked} />
      <Legend questions={questions} marked={marked} pointed={pointed} />
    </div>
  );
}

function Picture({ questions, marked }: Omit<ChartProps, 'pointed'>): JSX.Element {
  const hover = useSignal<number | null>(null);
  const answer = questions.histogram.answer.value?.body;
  const stack = questions.stack.value;
  if (!answer || !stack) return <Waiting panel={questions.histogram} height={HEIGHT + 36} />;
  const axis = axisOf(answer);
  const { edges, series, rest, totals, greatest } = stack;
  const most = Math.max(...totals);
  const worst = `${minute(edges[totals.indexOf(most)]!, zone.value)}: ${count(most)}`;
  const name = (at: number): string =>
    span(Math.max(axis.start, edges[at]!), Math.min(axis.end, edges[at + 1]!), zone.value);
  return (
    <div class={questions.histogram.current.value ? '' : 'stale'}>
      <Frame
        title="Failed runs"
        note={`${widthName(answer.width)} each, by group of errors`}
        height={HEIGHT}
        grid={{ axis, columns: edges }}
        paint={(surface) => paintStack(surface, axis, stack, marked)}
        marks={(answer.total ? countTicks(greatest, 3) : []).map(({ at, text }) => ({ share: at / greatest, text }))}
        sentence={histogramSentence(totals.length, widthName(answer.width), answer.total, answer.total, worst)}
        describe={(at) =>
          groupBucket(
            name(at),
            totals[at]!,
            series.map(({ runs }, place) => [LETTERS[place]!, runs[at]!]),
            rest[at]!,
          )
        }
        table={() => ({
          heads: ['From', ...series.map((_, at) => LETTERS[at]!), 'Others'],
          rows: totals.map((_, at) => [
            minute(edges[at]!, zone.value),
            ...[...series.map(({ runs }) => runs[at]!), rest[at]!].map(count),
          ]),
        })}
        hover={hover}
        brush={brush}
        handlers={{ select, zoom }}
      />
    </div>
  );
}

/** The mark of a group in the picture: a letter on its colour. Other groups have none. */
export function Letter({ questions, id }: { questions: Questions; id: string }): JSX.Element | null {
  const at = questions.stack.value?.series.findIndex(({ key }) => key === id) ?? -1;
  return at < 0 ? null : (
    <i class={`letter series-${at + 1}`} title={`${LETTERS[at]} in the picture`}>
      {LETTERS[at]}
    </i>
  );
}

function Legend({ questions, marked, pointed }: ChartProps): JSX.Element | null {
  const stack = questions.stack.value;
  if (!stack?.series.length) return null;
  return (
    <ul class="legend" aria-label="Groups in the picture">
      {stack.series.map(({ key }) => {
        const group = questions.known.value.get(key);
        return (
          <li
            key={key}
            class={marked === key ? 'marked' : ''}
            onPointerEnter={() => {
              pointed.value = key;
            }}
            onPointerLeave={() => {
              pointed.value = null;
            }}
          >
            <a href={groupAddress(key)} title={group && messageText(group)}>
              <Letter questions={questions} id={key} /> {group ? <Message group={group} /> : <bdi>{key}</bdi>}
              {group?.frame && <span class="dim mono"> {group.frame}</span>}
            </a>
          </li>
        );
      })}
      {stack.rest.some((n) => n > 0) && (
        <li class="dim">
          <i class="letter series-rest" aria-hidden="true" /> others
        </li>
      )}
    </ul>
  );
}
