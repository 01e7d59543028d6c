// What every page has: a heading, its content, and the line at the foot that says what its numbers are of.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { footing } from '../messages';
import { keyed } from '../net/about';
import type { Screen } from '../net/screen';
import { copy, said } from '../parts/clipboard';
import { Popover } from '../parts/popover';
import { filters } from '../state/filters';
import { between, rangeQuery } from '../state/range';
import { changed, go, place, writeQuery } from '../state/url';
import { asParameters, range, screenWindow } from '../state/window';
import { zone } from '../state/zone';
import { asCurl, asPython, asSql, type RawFilter } from '../text/copy';
import { packed } from '../text/fragment';
import { count } from '../text/number';
import { ExportMenu } from './exports';
import { useShortcuts } from './keys';

interface PageProps {
  title: string;
  screen: Screen;
  /** The most important number, as in "174,415 runs". */
  headline?: string | null;
  /** How many of its runs failed, for the title of the window. */
  failed?: number | null | undefined;
  /** The API address of the main question, for copying. */
  question?: string | null;
  /** The runs that the screen is of, for export and for copying as SQL; by default those of the window and the filters. */
  filter?: RawFilter | undefined;
  /** What the menu copies besides the link, by name; without them it is the question, and its filters as SQL. */
  copies?: [string, () => string][] | undefined;
  children: ComponentChildren;
}

/** The path of the page that was shown last. */
let shownPath: string | null = null;

export function Page({ title, screen, headline, failed, question, filter, copies, children }: PageProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const { path } = place.value;
  useLayoutEffect(() => {
    document.title = `${failed ? `(${count(failed)} ✕) ` : ''}${title} – runlake`;
  }, [title, failed]);
  useEffect(() => {
    // A reader hears where they are; on the first page the browser says it.
    if (shownPath !== null && shownPath !== path) heading.current!.focus({ preventScroll: true });
    shownPath = path;
  }, [path]);
  return (
    <>
      <main id="main" tabIndex={-1}>
        <h1 class="vh" tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {children}
      </main>
      <footer class="foot">
        <span>
          {headline && <b>{headline}, exact · </b>}
          {screen.facts.value.snapshot !== null && footing(screen.facts.value, zone.value)}
        </span>
        <span class="grow" />
        <span role="status" class="said">
          {said.value}
        </span>
        {question && !copies && <ExportMenu filter={filter ?? ofScreen()} />}
        <CopyMenu question={question ?? null} filter={filter} copies={copies} />
      </footer>
    </>
  );
}

/** The runs of the window that the filters let through. */
const ofScreen = (): RawFilter => ({ ...asParameters(screenWindow.value), ...filters.value });

const absolute = (url: string): string => new URL(url, location.origin).href;
const copyLink = (): Promise<void> => copy(location.href, 'Link');

/** The address with the times that the screen shows now, where the window moves with the time or with the day. */
function frozenLink(): string {
  const { path, query } = place.peek();
  const { start, end } = screenWindow.peek();
  return absolute(path + writeQuery(changed(query, rangeQuery(between(start, end)))));
}

type CopyMenuProps = { question: string | null } & Pick<PageProps, 'filter' | 'copies'>;

function CopyMenu({ question, filter, copies }: CopyMenuProps): JSX.Element {
  const latest = useRef(question);
  latest.current = question;
  useShortcuts([
    { keys: 'y', does: 'Copy a link to this screen', run: copyLink },
    {
      keys: 'Y',
      does: 'Copy the question as curl',
      run: () => latest.current && copy(asCurl(absolute(latest.current), keyed.peek()), 'curl'),
    },
  ]);
  const items: [string, () => Promise<void>][] = [['Link', copyLink]];
  // A page that brings its own copies is of no window.
  if (!copies && range.value.kind !== 'between') items.push(['Frozen link', () => copy(frozenLink(), 'Frozen link')]);
  if (copies) items.push(...copies.map(([name, make]) => [name, () => copy(make(), name)] as (typeof items)[number]));
  else if (question) {
    items.push(
      ['curl', () => copy(asCurl(absolute(question), keyed.peek()), 'curl')],
      ['Python', () => copy(asPython(absolute(question), keyed.peek()), 'Python')],
      ['SQL', () => copy(asSql(filter ?? ofScreen()), 'SQL')],
      ['Open as SQL', async () => go(`/ui/sql${await packed(asSql(filter ?? ofScreen()))}`)],
    );
  }
  return (
    <Popover label="Copy ▾" name="Copy this screen">
      {(close) => (
        <ul class="menu">
          {items.map(([name, run]) => (
            <li key={name}>
              <button
                type="button"
                onClick={() => {
                  close();
                  void run();
                }}
              >
                {name}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}
