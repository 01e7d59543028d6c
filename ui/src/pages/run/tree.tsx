// JSON as a tree. Only the rows that are seen are in the document, so a megabyte opens at once.

import { type ReadonlySignal, type Signal, useComputed, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { found as foundText, holds } from '../../messages';
import { copy } from '../../parts/clipboard';
import { LongText } from '../../parts/long_text';
import { find, type JsonIndex, jsonPath, openRows, opensAtFirst, sqlPath, visible } from '../../text/json';

const ROW = 22; // CSS pixels; style/run.css has the same
const MARGIN = 6; // rows that are drawn above and below those seen
const LONGEST = 300; // characters of a value in its row
const MOST_FOUND = 10_000;

/** What is open, what is marked, and what was searched for. */
interface Tree {
  index: JsonIndex;
  rows: ReadonlySignal<number[]>;
  marked: Signal<number>;
  isOpen(value: number): boolean;
  toggle(value: number): void;
  openAll(open: boolean): void;
  /** Opens all that holds a value, and marks it. */
  reveal(value: number): void;
}

function useTree(index: JsonIndex): Tree {
  /** All open, all folded, or as at first; and the values that are otherwise. */
  const rule = useSignal<'open' | 'folded' | 'first'>('first');
  const otherwise = useSignal<ReadonlySet<number>>(new Set());
  const marked = useSignal(0);
  const byRule = (value: number): boolean =>
    rule.value === 'first' ? opensAtFirst(index, value) : rule.value === 'open' || value === 0;
  const isOpen = (value: number): boolean => byRule(value) !== otherwise.value.has(value);
  const rows = useComputed(() => openRows(index, isOpen));
  const change = (values: number[]): void => {
    const made = new Set(otherwise.peek());
    for (const value of values) if (!made.delete(value)) made.add(value);
    otherwise.value = made;
  };
  return {
    index,
    rows,
    marked,
    isOpen,
    toggle: (value) => change([value]),
    openAll: (open) => {
      rule.value = open ? 'open' : 'folded';
      otherwise.value = new Set();
      marked.value = 0;
    },
    reveal: (value) => {
      const path = index.pathOf(value).slice(0, -1);
      change(path.filter((at) => !isOpen(at)));
      marked.value = value;
    },
  };
}

interface JsonTreeProps {
  index: JsonIndex;
  /** What else can be done with the value of a path. */
  more(path: string): JSX.Element;
}

export function JsonTree({ index, more }: JsonTreeProps): JSX.Element {
  const tree = useTree(index);
  return (
    <div class="json">
      <div class="tools">
        <Find tree={tree} />
        <button type="button" onClick={() => tree.openAll(true)}>
          Open all
        </button>
        <button type="button" onClick={() => tree.openAll(false)}>
          Fold all
        </button>
      </div>
      <Rows tree={tree} />
      <Marked tree={tree} more={more} />
    </div>
  );
}

function Find({ tree }: { tree: Tree }): JSX.Element {
  const wanted = useSignal('');
  const at = useSignal(0);
  const hits = useComputed(() => find(tree.index, wanted.value, MOST_FOUND));
  const show = (place: number): void => {
    const all = hits.peek();
    if (!all.length) return;
    at.value = (place + all.length) % all.length;
    tree.reveal(all[at.value]!);
  };
  return (
    <>
      <input
        type="search"
        aria-label="Find in the output"
        placeholder="Find…"
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
          show(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') show(at.peek() + (event.shiftKey ? -1 : 1));
        }}
      />
      <span role="status" class="dim">
        {wanted.value && foundText(at.value, hits.value.length, MOST_FOUND)}
      </span>
    </>
  );
}

function Rows({ tree }: { tree: Tree }): JSX.Element {
  const { index, rows, marked } = tree;
  const box = useRef<HTMLDivElement>(null);
  const scrolled = useSignal(0);
  const height = useSignal(440);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      height.value = entry!.contentRect.height;
    });
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const first = useComputed(() => Math.max(0, Math.floor(scrolled.value / ROW) - MARGIN)).value;
  const last = Math.min(rows.value.length, first + Math.ceil(height.value / ROW) + 2 * MARGIN);
  // The marked row is brought into sight.
  useLayoutEffect(() => {
    const top = rowOf(rows.value, marked.value) * ROW;
    const { scrollTop, clientHeight } = box.current!;
    if (top < scrollTop) box.current!.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) box.current!.scrollTop = top + ROW - clientHeight;
  }, [marked.value, rows.value]);
  const drawn = rows.value.slice(first, last);
  return (
    <div
      ref={box}
      class="tree"
      role="tree"
      aria-label="Output"
      tabIndex={0}
      aria-activedescendant={drawn.includes(marked.value) ? `value-${marked.value}` : undefined}
      onScroll={(event) => {
        scrolled.value = event.currentTarget.scrollTop;
      }}
      onKeyDown={(event) => {
        if (move(tree, event.key, Math.floor(height.peek() / ROW))) event.preventDefault();
      }}
    >
      <div role="none" style={{ height: `${rows.value.length * ROW}px` }}>
        <div role="none" class="drawn" style={{ transform: `translateY(${first * ROW}px)` }}>
          {drawn.map((value) => (
            <Row key={value} tree={tree} index={index} value={value} />
          ))}
        </div>
      </div>
    </div>
  );
}

/** The place of a value among the rows, or that of the last row above it. */
function rowOf(rows: number[], value: number): number {
  let [low, high] = [0, rows.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** What a key does; false for a key that does nothing. */
function move(tree: Tree, key: string, page: number): boolean {
  const { index, rows, marked } = tree;
  const all = rows.peek();
  const at = rowOf(all, marked.peek());
  const value = all[at]!;
  const folds = index.size[value]! > 0;
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
  const step = { ...steps, Home: -all.length, End: all.length }[key];
  if (step !== undefined) marked.value = all[Math.min(all.length - 1, Math.max(0, at + step))]!;
  else if (key === 'ArrowRight' && folds) {
    if (tree.isOpen(value)) marked.value = value + 1;
    else tree.toggle(value);
  } else if (key === 'ArrowLeft') {
    if (folds && tree.isOpen(value)) tree.toggle(value);
    else if (index.parent[value]! >= 0) marked.value = index.parent[value]!;
  } else if ((key === 'Enter' || key === ' ') && folds) tree.toggle(value);
  else return false;
  return true;
}

function Row({ tree, index, value }: { tree: Tree; index: JsonIndex; value: number }): JSX.Element {
  const folds = index.size[value]! > 0;
  const key = index.keyOf(value);
  const parent = index.parent[value]!;
  const marked = useComputed(() => tree.marked.value === value);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree keeps the focus
    <div
      id={`value-${value}`}
      class="value"
      role="treeitem"
      aria-level={index.depth[value]! + 1}
      aria-setsize={parent < 0 ? 1 : index.size[parent]!}
      aria-posinset={index.place[value]! + 1}
      aria-expanded={folds ? tree.isOpen(value) : undefined}
      aria-selected={marked.value}
      style={{ paddingInlineStart: `${Math.min(index.depth[value]!, 60) * 14 + 4}px` }}
      onClick={() => {
        if (folds && marked.peek()) tree.toggle(value);
        else if (folds && !tree.isOpen(value)) tree.toggle(value);
        tree.marked.value = value;
      }}
    >
      <i aria-hidden="true">{folds ? (tree.isOpen(value) ? '▾' : '▸') : ''}</i>
      {key !== null ? (
        <span class="key">
          <bdi>{visible(key)}</bdi>:
        </span>
      ) : (
        parent >= 0 && <span class="key dim">{index.place[value]}:</span>
      )}{' '}
      <Content index={index} value={value} />
    </div>
  );
}

function Content({ index, value }: { index: JsonIndex; value: number }): JSX.Element {
  const kind = index.kindOf(value);
  if (kind === 'object' || kind === 'array') return <span class="dim">{holds(kind, index.size[value]!)}</span>;
  const source = index.sourceOf(value);
  if (kind !== 'string') return <span class={kind}>{source}</span>;
  const text = JSON.parse(source) as string;
  const cut = text.length > LONGEST;
  return (
    <span class="string">
      "<bdi>{cut ? `${visible(text.slice(0, LONGEST).replace(/[\ud800-\udbff]$/, ''))}…` : visible(text)}</bdi>"
    </span>
  );
}

/** The marked value: the way to it, all of it, and copies of both. */
function Marked({ tree, more }: { tree: Tree; more: JsonTreeProps['more'] }): JSX.Element {
  const { index } = tree;
  const value = tree.marked.value;
  const path = sqlPath(index, value);
  const source = index.sourceOf(value);
  const isText = index.kindOf(value) === 'string';
  const text = isText ? (JSON.parse(source) as string) : source;
  return (
    <div class="marked">
      <code dir="ltr">{path}</code>
      <button type="button" onClick={() => copy(text, 'Value')}>
        Copy value
      </button>
      <button type="button" onClick={() => copy(path, 'Path')}>
        Copy path
      </button>
      {more(jsonPath(index, value))}
      {isText && source.length > 60 && <LongText key={value} label="The marked value" text={text} />}
    </div>
  );
}
