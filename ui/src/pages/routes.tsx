// Which page an address shows. The first pattern that fits counts.

import type { JSX } from 'preact';
import { loaded } from './loaded';
import { OverviewPage } from './overview/page';
import { RunsPage } from './runs/page';
import { UnknownPage } from './unknown';

// Overview and Runs, with which most visits begin, come with the first script.
const others = () => import('./others');
const ComparePage = loaded(async () => (await others()).ComparePage);
const ErrorGroupPage = loaded(async () => (await others()).ErrorGroupPage);
const ErrorsPage = loaded(async () => (await others()).ErrorsPage);
const RunPage = loaded(async () => (await others()).RunPage);
const SqlPage = loaded(async () => (await import('./sql/page')).SqlPage);
const TaskPage = loaded(async () => (await others()).TaskPage);
const TasksPage = loaded(async () => (await others()).TasksPage);
const WorkersPage = loaded(async () => (await others()).WorkersPage);

interface RouteOfPage {
  pattern: RegExp;
  page(): JSX.Element;
  /** Whether window and filters mean something there. */
  bar: boolean;
}

const UUID = '[0-9a-fA-F-]{36}';

const ROUTES: RouteOfPage[] = [
  { pattern: /^\/(ui\/?)?$/, page: () => <OverviewPage />, bar: true },
  { pattern: /^\/ui\/runs\/?$/, page: () => <RunsPage />, bar: true },
  { pattern: new RegExp(`^/ui/runs/${UUID}$`), page: () => <RunPage />, bar: false },
  { pattern: /^\/ui\/runs\/compare\/?$/, page: () => <ComparePage />, bar: false },
  { pattern: /^\/ui\/tasks\/?$/, page: () => <TasksPage />, bar: true },
  { pattern: new RegExp(`^/ui/tasks/${UUID}$`), page: () => <TaskPage />, bar: true },
  { pattern: /^\/ui\/errors\/?$/, page: () => <ErrorsPage />, bar: true },
  { pattern: /^\/ui\/errors\/v1(:|%3A)[0-9a-f]{16}$/i, page: () => <ErrorGroupPage />, bar: true },
  { pattern: /^\/ui\/workers\/?$/, page: () => <WorkersPage />, bar: true },
  { pattern: /^\/ui\/sql\/?$/, page: () => <SqlPage />, bar: false },
  { pattern: /./, page: () => <UnknownPage />, bar: false },
];

export const routeOf = (path: string): RouteOfPage =>
  ROUTES.find(({ pattern }) => pattern.test(path)) ?? ROUTES.at(-1)!;
