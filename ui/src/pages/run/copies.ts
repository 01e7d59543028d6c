// A run for other places: as a command, as code, as SQL, as it is stored, and as text for people. Each can be used as it
// is: the first three ask for the run, what the fourth one gives can be posted again.

import { OUTCOMES } from '../../messages';
import { keyed } from '../../net/about';
import { taskName } from '../../net/names';
import { outcomeOf } from '../../parts/outcome';
import { asCurl, asPython } from '../../text/copy';
import { duration } from '../../text/duration';
import { full, millis } from '../../text/time';
import { plain } from '../../text/trace';
import { secondsOf } from './head';
import { runAddress, type StoredRun } from './questions';

/** The run as a SELECT for `runlake sql`; by its time as well, so that few files are read. */
export const asRunSql = (run: StoredRun): string =>
  `SELECT *\nFROM runs\nWHERE id = '${run.id}'\n  AND run_at = '${run.started_at ?? run.created_at}'`;

/** A text between as many backticks as it needs, and one more. */
function code(text: string): string {
  const most = Math.max(0, ...[...text.matchAll(/`+/g)].map(([found]) => found.length));
  const fence = '`'.repeat(most + 1);
  const room = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return fence + room + text + room + fence;
}

/** A text as a block of code. */
function block(text: string): string {
  const most = Math.max(2, ...[...text.matchAll(/`+/g)].map(([found]) => found.length));
  const fence = '`'.repeat(most + 1);
  return `${fence}text\n${text}\n${fence}`;
}

const LONGEST = 4000; // characters of an error: its end says what went wrong

/** What became of the run, for people who talk about it. */
export function asMarkdown(run: StoredRun, page: string, now: number): string {
  const { glyph, word } = OUTCOMES[outcomeOf(run as never, now)];
  const seconds = secondsOf(run, now);
  const error = run.error === null ? null : plain(run.error).trimEnd();
  const facts = [
    `run: [${run.id}](${page})`,
    `task: ${code(taskName(run.task_id))} (${run.task_id})`,
    `attempt: ${run.attempt}`,
    run.started_at && `started: ${full(millis(run.started_at), 'UTC')}`,
    run.finished_at && `finished: ${full(millis(run.finished_at), 'UTC')}`,
    seconds !== null && `${run.finished_at === null ? 'running for' : 'took'}: ${duration(seconds)}`,
    run.lease_owner !== null && `worker: ${code(run.lease_owner)}`,
  ].filter((fact) => fact);
  const lines = [`**${glyph} ${word}**: ${code(taskName(run.task_id))}`, '', ...facts.map((fact) => `- ${fact}`)];
  if (error) lines.push('', block(error.length > LONGEST ? `…${error.slice(-LONGEST)}` : error));
  return lines.join('\n');
}

/** All of them, by their names. */
export function copiesOf(run: StoredRun): [string, () => string][] {
  const absolute = (path: string): string => new URL(path, location.origin).href;
  const question = absolute(runAddress(run.id));
  return [
    ['curl', () => asCurl(question, keyed.peek())],
    ['Python', () => asPython(question, keyed.peek())],
    ['SQL', () => asRunSql(run)],
    ['JSON', () => run.text],
    ['Markdown', () => asMarkdown(run, absolute(`/ui/runs/${run.id}`), Date.now())],
  ];
}
