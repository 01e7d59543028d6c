// When a run was created, started and finished, and how long it waited and ran; and until when its worker had it.

import type { JSX } from 'preact';
import type { Timestamp } from '../../api';
import { BROWSER, zone } from '../../state/zone';
import { duration } from '../../text/duration';
import { everywhere, millis, moment } from '../../text/time';
import { secondsOf } from './head';
import type { StoredRun } from './questions';

interface Span {
  name: string;
  seconds: number;
  /** Of all that has passed since it was created. */
  share: number;
  kind: 'waited' | 'ran' | 'running';
}

const STATED = 0.001; // seconds: what is shorter is no wait

export function Timeline({ run, now }: { run: StoredRun; now: number }): JSX.Element {
  const seconds = secondsOf(run, now);
  const created = millis(run.created_at);
  const waited = ((run.started_at === null ? now : millis(run.started_at)) - created) / 1000;
  const waits = waited >= STATED;
  const all = Math.max(STATED, (waits ? waited : 0) + (seconds ?? 0));
  return (
    <>
      <ol class="timeline" aria-label="Timeline">
        {(waits || run.started_at === null) && <Moment name="created" at={run.created_at} />}
        {waits && (
          <Stretch
            name={run.started_at === null ? 'waiting for' : 'waited'}
            seconds={waited}
            share={waited / all}
            kind="waited"
          />
        )}
        {run.started_at !== null && (
          <Moment name={waits || waited < 0 ? 'started' : 'created and started'} at={run.started_at} />
        )}
        {seconds !== null && (
          <Stretch
            name={run.finished_at === null ? 'running for' : 'ran'}
            seconds={seconds}
            share={seconds / all}
            kind={run.finished_at === null ? 'running' : 'ran'}
          />
        )}
        {run.finished_at !== null && <Moment name="finished" at={run.finished_at} />}
      </ol>
      <p class="dim">
        {run.leased_until !== null && <Lease run={run} until={run.leased_until} now={now} />}
        {waited < 0 && ` Created ${duration(-waited)} after it started: the clocks of two machines differ.`}
      </p>
    </>
  );
}

function Moment({ name, at }: { name: string; at: Timestamp }): JSX.Element {
  const ms = millis(at);
  return (
    <li class="moment">
      <span class="dim">{name}</span>
      <time dateTime={at} title={everywhere(ms, zone.value, BROWSER)}>
        {exact(at, zone.value)}
      </time>
    </li>
  );
}

/** A time to the millisecond. */
function exact(at: Timestamp, name: string): string {
  const digits = /\.(\d{1,3})/.exec(at)?.[1];
  return moment(millis(at), name) + (digits ? `.${digits.padEnd(3, '0')}` : '');
}

/** Between two moments: as wide as it is long, as far as that can be read. */
function Stretch({ name, seconds, share, kind }: Span): JSX.Element {
  return (
    <li class={`stretch ${kind}`} style={{ flexGrow: String(Math.max(share, STATED)), '--share': String(share) }}>
      <span>
        {name} <b>{duration(seconds)}</b>
      </span>
      <i aria-hidden="true" />
    </li>
  );
}

function Lease({ run, until, now }: { run: StoredRun; until: Timestamp; now: number }): JSX.Element {
  const ms = millis(until);
  const over = run.finished_at === null && ms < now;
  return (
    <>
      Its worker {run.finished_at === null && !over ? 'has' : 'had'} it until{' '}
      <time dateTime={until} title={everywhere(ms, zone.value, BROWSER)}>
        {exact(until, zone.value)}
      </time>
      {over ? `, ${duration((now - ms) / 1000)} ago, and has not reported since.` : '.'}
    </>
  );
}
