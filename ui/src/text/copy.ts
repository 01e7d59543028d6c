// The question behind a screen as a command, as code, as SQL. Each one can be run as it is.

import type { Filter } from '../api';

/** Quotes for a POSIX shell. */
export const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Quotes of SQL. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** An option of curl that sends the key; it comes from the environment, so that no copy holds one. */
export const KEY_OPTION = '-H "Authorization: Bearer $RUNLAKE_KEY"';

/** `keyed`: whether the service asks for a key. */
export const asCurl = (url: string, keyed: boolean): string => `curl -s ${keyed ? `${KEY_OPTION} ` : ''}${shell(url)}`;

export function asPython(url: string, keyed: boolean): string {
  const headers = 'headers={"Authorization": "Bearer " + os.environ["RUNLAKE_KEY"]}';
  const question = JSON.stringify(url);
  return [
    'import json',
    ...(keyed ? ['import os', 'from urllib.request import Request, urlopen'] : ['from urllib.request import urlopen']),
    '',
    ...(keyed ? [`question = Request(${question}, ${headers})`] : []),
    `with urlopen(${keyed ? 'question' : question}) as answer:`,
    '    print(json.dumps(json.load(answer), indent=2))',
  ].join('\n');
}

export type RawFilter = Partial<Record<keyof Filter, string>>;

const listed = (text: string): string => text.split(',').map(literal).join(', ');

/** The conditions of each filter over the relation `runs`. */
const CONDITIONS: Record<keyof Filter, (value: string) => string> = {
  task_id: (value) => `task_id IN (${listed(value)})`,
  success: (value) => (/^(true|1)$/i.test(value) ? 'success' : 'NOT success'),
  start_time: (value) => `started_at >= ${literal(value)}`,
  end_time: (value) => `started_at < ${literal(value)}`,
  status: (value) => `(${value.split(',').map(status).join(' OR ')})`,
  lease_owner: (value) => `lease_owner = ${literal(value)}`,
  attempt_min: (value) => `attempt >= ${Number(value)}`,
  duration_min: (value) => `finished_at - started_at >= to_seconds(${Number(value)})`,
  duration_max: (value) => `finished_at - started_at <= to_seconds(${Number(value)})`,
  error: (value) => `contains(lower(error), lower(${literal(value)}))`,
  error_group: (value) => `NOT success AND error_group(error) = ${literal(value)}`,
};

function status(name: string): string {
  if (name === 'success') return 'success';
  if (name === 'failed') return 'NOT success';
  if (name === 'queued') return 'started_at IS NULL AND finished_at IS NULL';
  const lost = name === 'lost' ? 'leased_until < now()' : '(leased_until IS NULL OR leased_until >= now())';
  return `started_at IS NOT NULL AND finished_at IS NULL AND ${lost}`;
}

/** The runs of a filter as a SELECT for `runlake sql`. */
export function asSql(filter: RawFilter): string {
  const known = Object.keys(CONDITIONS) as (keyof Filter)[];
  const parts = known.flatMap((key) => (filter[key] === undefined ? [] : [CONDITIONS[key](filter[key])]));
  const where = parts.length ? `\nWHERE ${parts.join('\n  AND ')}` : '';
  return `SELECT *\nFROM runs${where}\nORDER BY run_at DESC, id DESC`;
}
