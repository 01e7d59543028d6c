// Small pictures for the cells of tables: runs over time, and how durations are distributed.

import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { theme } from '../state/theme';
import { colors } from './colors';

interface SparkProps {
  /** Runs of each part. */
  runs: readonly number[];
  /** Failed runs of each part, drawn over them. */
  failed?: readonly number[];
  /** The colour of the runs. */
  tone?: 'success-fill' | 'failed';
  /** The picture in words. */
  label: string;
  width?: number;
  height?: number;
}

/** Bars of runs, with failures in their own colour. */
export function Spark({
  runs,
  failed,
  label,
  tone = 'success-fill',
  width = 120,
  height = 20,
}: SparkProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ratio = devicePixelRatio || 1;
    const target = canvas.current!;
    target.width = width * ratio;
    target.height = height * ratio;
    const context = target.getContext('2d')!;
    const greatest = Math.max(1, ...runs);
    const size = target.width / runs.length;
    const draw = (numbers: readonly number[], color: string, least: number): void => {
      context.fillStyle = color;
      for (const [at, n] of numbers.entries()) {
        const tall = n ? Math.max(least, (n / greatest) * target.height) : 0;
        context.fillRect(at * size, target.height - tall, size - (size > 3 * ratio ? ratio : 0), tall);
      }
    };
    const color = colors();
    draw(runs, color[tone], ratio);
    if (failed) draw(failed, color.failed, 2 * ratio);
  }, [runs, failed, width, height, theme.value]);
  return (
    <canvas
      ref={canvas}
      class="spark"
      role="img"
      aria-label={label}
      style={{ width: `${width}px`, height: `${height}px` }}
    />
  );
}
