// The frame of a chart over time: canvas, axes, crosshair, brush, and what a reader hears instead.

import { type ReadonlySignal, type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentChild, JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { useNarrow } from '../state/narrow';
import { zone } from '../state/zone';
import { type Brush, cellOf, type Grid, type Handlers, Selecting } from './brush';
import { type Tick, timeTicks } from './ticks';

/** A canvas; width and height in its own pixels, `ratio` of these to a CSS pixel. */
export interface Surface {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  ratio: number;
}

/** The times at the left and the right end, in milliseconds. */
export interface TimeAxis {
  start: number;
  end: number;
}

/** A label of the vertical axis, at a share of the height from the bottom. */
export interface Mark {
  share: number;
  text: string;
}

export interface FrameProps {
  title: string;
  /** What a column is, as in "1 h each". */
  note: ComponentChild;
  /** Height of the picture in CSS pixels. */
  height: number;
  grid: Grid;
  /** Draws; signals that it reads draw it again. */
  paint(surface: Surface): void;
  marks: Mark[];
  /** The picture in one sentence. */
  sentence: string;
  /** A column, or a cell, in words. */
  describe(column: number, row: number | null): string;
  /** The same as a table: its heads, and its rows. */
  table(): { heads: string[]; rows: string[][] };
  /** The time that the pointer is at, shared by the charts of a screen. */
  hover: Signal<number | null>;
  brush: ReadonlySignal<Brush | null>;
  handlers: Handlers;
  /** Where a selected duration lies, as a share of the height from the bottom. */
  riseOf?(seconds: number): number;
}

export function Frame(props: FrameProps): JSX.Element {
  const latest = useRef(props);
  latest.current = props;
  const selecting = useMemo(() => {
    const handlers: Required<Handlers> = {
      select: (brush) => latest.current.handlers.select(brush),
      zoom: (brush) => latest.current.handlers.zoom(brush),
      jump: (column) => latest.current.handlers.jump?.(column),
      click: (x, y, box) => latest.current.handlers.click?.(x, y, box) ?? false,
    };
    return new Selecting(() => latest.current.grid, props.hover, handlers);
  }, []);
  const { grid, height } = props;
  return (
    <figure class="chart">
      <figcaption>
        <b>{props.title}</b> <span class="dim">{props.note}</span>
        <Readout {...props} />
      </figcaption>
      <div class="plot" style={{ height: `${height}px` }}>
        <Canvas {...props} selecting={selecting} />
        <Overlay {...props} selecting={selecting} />
        {props.marks.map(({ share, text }) => (
          <span class="mark" key={text} style={{ bottom: `${share * 100}%` }}>
            {text}
          </span>
        ))}
      </div>
      <TimeLabels axis={grid.axis} />
      <AsTable title={props.title} table={props.table} />
    </figure>
  );
}

/** The column at the pointer in words. */
function Readout({ grid, hover, describe }: FrameProps): JSX.Element {
  const at = hover.value;
  const inside = at !== null && at >= grid.axis.start && at <= grid.axis.end;
  return <span class="readout">{inside && describe(cellOf(grid.columns, at), null)}</span>;
}

interface Parts extends FrameProps {
  selecting: Selecting;
}

function Canvas({ height, paint, sentence, title, selecting, brush, grid, describe }: Parts): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSignal(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      width.value = entry!.contentRect.width;
    });
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  const painter = useSignal(paint);
  painter.value = paint;
  useSignalEffect(() => {
    const surface = width.value ? prepared(canvas.current!, width.value, height) : null;
    if (surface) painter.value(surface);
  });
  const said = useComputed(() => {
    const cursor = selecting.cursor.value;
    return cursor && cursor.x < grid.columns.length - 1 ? describe(cursor.x, cursor.y) : '';
  });
  return (
    <>
      <canvas
        ref={canvas}
        role="img"
        aria-roledescription="chart"
        aria-label={`${title}: ${sentence} Arrow keys move, with Shift they select, Enter zooms.`}
        tabIndex={0}
        onPointerDown={(event) => selecting.press(event)}
        onPointerMove={(event) => selecting.move(event)}
        onPointerUp={(event) => selecting.release(event, brush.value)}
        onPointerLeave={() => selecting.leave()}
        onDblClick={(event) => selecting.double(event)}
        onKeyDown={(event) => selecting.key(event, brush.value)}
        onBlur={() => selecting.leave()}
      />
      <span class="vh" role="status">
        {said}
      </span>
    </>
  );
}

function prepared(canvas: HTMLCanvasElement, width: number, height: number): Surface {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  return { context: canvas.getContext('2d')!, width: canvas.width, height: canvas.height, ratio };
}

/** Crosshair and brush. Only these move with the pointer. */
function Overlay({ grid, hover, brush, selecting, riseOf }: Parts): JSX.Element {
  const share = (ms: number): number => (ms - grid.axis.start) / (grid.axis.end - grid.axis.start);
  const shown = selecting.draft.value ?? brush.value;
  const inside = shown && shown.to > grid.axis.start && shown.from < grid.axis.end;
  const left = shown ? Math.max(0, share(shown.from)) : 0;
  const right = shown ? Math.min(1, share(shown.to)) : 0;
  const rows = shown && riseOf && shown.low !== undefined && shown.high !== undefined;
  const bottom = rows ? riseOf(shown.low!) : 0;
  const top = rows ? riseOf(shown.high!) : 1;
  const cross = hover.value === null ? null : share(hover.value);
  return (
    <div class="overlay" aria-hidden="true">
      {inside && (
        <i
          class="brush"
          style={{
            left: `${left * 100}%`,
            width: `${(right - left) * 100}%`,
            bottom: `${bottom * 100}%`,
            height: `${(top - bottom) * 100}%`,
          }}
        />
      )}
      {cross !== null && cross >= 0 && cross <= 1 && <i class="cross" style={{ left: `${cross * 100}%` }} />}
    </div>
  );
}

function TimeLabels({ axis }: { axis: TimeAxis }): JSX.Element {
  const narrow = useNarrow();
  const ticks: Tick[] = timeTicks(axis.start, axis.end, narrow ? 4 : 9, zone.value);
  const share = (at: number): number => (at - axis.start) / (axis.end - axis.start);
  const edge = narrow ? 0.06 : 0.02; // a label any closer would be cut
  return (
    <div class="times" aria-hidden="true">
      {ticks
        .filter(({ at }) => share(at) > edge && share(at) < 1 - edge)
        .map(({ at, text }) => (
          <span key={at} style={{ left: `${share(at) * 100}%` }}>
            {text}
          </span>
        ))}
    </div>
  );
}

/** The numbers of the picture, made when they are opened. */
export function AsTable({ title, table }: { title: string; table: FrameProps['table'] }): JSX.Element {
  const open = useSignal(false);
  const { heads, rows } = open.value ? table() : { heads: [], rows: [] };
  return (
    <details
      class="as-table"
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary aria-label={`${title} as a table`}>as table</summary>
      {open.value && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section class="scroll" tabIndex={0} aria-label={title}>
          <table>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row[0]}>
                  {row.map((cell, at) => (
                    <td key={heads[at]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
