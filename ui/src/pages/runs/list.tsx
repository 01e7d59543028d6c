// The list of the Runs page: all runs of the selection, under one scrollbar.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Run } from '../../api';
import { newRuns } from '../../messages';
import { outputReader } from '../../net/outputs';
import type { Rows } from '../../net/rows';
import { freshness, Trouble } from '../../parts/trouble';
import { held, toPresent } from '../../state/live';
import { address, change, go, place } from '../../state/url';
import { markRank } from '../../table/list';
import { Table } from '../../table/table';
import { loaded } from '../loaded';
import { isUsual, readsOutputs } from './chosen';
import { type Beside, columnsOf } from './columns';
import { ColumnsMenu } from './columns_menu';
import { Drawer } from './drawer';
import { useFailedKeys } from './failed';
import { MarkBar, marks, useMarks } from './marks';
import { Nothing } from './nothing';
import { order, type Questions } from './questions';
import { brush } from './selection';

/** Stands where outputs are wanted: the list asks for its rows as soon as something can read them. */
const ReadsOutputs = loaded(async () => {
  outputReader.value = (await import('../others')).outputs;
  return () => null;
});

interface ListProps {
  questions: Beside;
  rows: Rows;
  /** A column that the page has no need of. */
  without?: string;
}

export function List({ questions, rows, without }: ListProps): JSX.Element {
  const columns = columnsOf(questions, without);
  const selected = useComputed(() => place.value.query['sel'] ?? null);
  useMarks();
  useFailedKeys(rows);
  useHolding(selected.value !== null);
  const total = rows.total.value;
  return (
    <section aria-label="Runs">
      <div class="above">
        <MarkBar />
        <span class="grow" />
        <ColumnsMenu without={without} />
      </div>
      {readsOutputs.value && <ReadsOutputs />}
      <Newer questions={questions} total={rows.progress.value ? null : total} />
      <Trouble panel={rows} name="List of runs" />
      {total === 0 && !rows.progress.value ? (
        <Nothing />
      ) : (
        <Table<Run>
          label="Runs"
          lines={isUsual.value ? undefined : Math.ceil(columns.length / 2)}
          columns={columns}
          total={total ?? 20}
          at={(rank) => rows.at(rank)}
          keyOf={(run) => run.id}
          show={(first, last) => rows.show(first, last)}
          tone={(run) => (run.success === false ? 'failed' : undefined)}
          picked={(id) => marks.value.includes(id)}
          selected={selected}
          select={(key, rank) => {
            markRank(key === null ? null : rank);
            change({ sel: key ?? undefined }, 'replace');
          }}
          open={(run) => go(address(`/ui/runs/${run.id}`))}
          link={(run) => address(`/ui/runs/${run.id}`)}
          sorting={{ key: order.value, ascending: false }}
          sort={(key) => change({ order: key === 'duration' ? key : undefined })}
          stale={freshness(rows) === 'stale'}
        />
      )}
      <Drawer />
    </section>
  );
}

/** While the reader is below the first rows, points at one, or has marked one, the list stays as it is. */
export function useHolding(marked: boolean): void {
  useEffect(() => {
    let pointed = false;
    const look = (): void => {
      held.value = marked || pointed || scrollY > 200;
    };
    const point = ({ target, type, pointerType }: PointerEvent): void => {
      const over = type === 'pointerover' && (target as Element).closest('table.list tbody') !== null;
      pointed = over && pointerType === 'mouse';
      look();
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('pointerover', point, { passive: true });
    document.documentElement.addEventListener('pointerleave', point, { passive: true });
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('pointerover', point);
      document.documentElement.removeEventListener('pointerleave', point);
      held.value = false;
    };
  }, [marked]);
}

interface NewerProps {
  questions: Pick<Questions, 'newer'>;
  /** How many there were when the list was read. */
  total: number | null;
  /** What they are called. */
  name?(n: number): string;
}

/** How many runs have started since the list was read; a click shows them. */
export function Newer({ questions, total, name = newRuns }: NewerProps): JSX.Element | null {
  const count = (questions.newer.answer.value?.body.total ?? 0) - (total ?? 0);
  if (total === null || count <= 0 || brush.value) return null;
  const showThem = (): void => {
    change({ sel: undefined }, 'replace');
    scrollTo({ top: 0 });
    toPresent();
  };
  return (
    <button type="button" class="newer" onClick={showThem}>
      {name(count)}
    </button>
  );
}
