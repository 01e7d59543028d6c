// Live: the screen is asked again when runs came in. One tab of a browser hears of them from the service, and tells the
// others: a browser has six connections to a service, and each stream takes one. Where there is no stream, the screen is
// asked again every ten seconds.

import { effect, signal } from '@preact/signals';
import { asking, follows, held, present } from '../state/live';
import { advance, now, STEP, step } from '../state/window';
import { fetched, gone, newestSnapshot, problemOf } from './ask';
import { outage } from './connection';
import { Failure } from './failure';
import { EVENTS, eventsOf } from './parts';
import { sessions } from './session';

const SECOND = 1000;
const PAUSE = SECOND; // between two times that a screen is asked again, at least
const REST = 4; // times as long as its answers took it is left alone
const QUIET = 30 * SECOND; // after which it is asked again though no run came in
const SILENCE = 45 * SECOND; // after which a stream is dead: the service says something every 15 s
const NAME = 'runlake.live'; // of the lock of the tab that has the stream, and of the channel to the others

const isSeen = (): boolean => document.visibilityState === 'visible';
const seen = signal(isSeen());

/** The snapshot of which the stream told last; null without a stream. */
let told: number | null = null;
/** Whether runs came in since the screen was asked. */
let isNews = false;
/** The snapshot for which it was asked. */
let asked = -1;
/** The window of a page ends at the last step when it is opened: what came after that is not on the screen. */
let isCut = true;
let askedAt = performance.now();
let busySince = 0;
let took = 0; // milliseconds until the last answer
let timer = 0;

/** Begins to follow what happens. */
export function followRuns(): void {
  document.addEventListener('visibilitychange', () => {
    seen.value = isSeen();
  });
  let wasLeft = !follows.peek() || !seen.peek();
  effect(() => {
    if (!follows.value || !seen.value) return;
    isNews = wasLeft; // nothing was told meanwhile
    const leave = join();
    return () => {
      wasLeft = true;
      clearTimeout(timer);
      leave();
    };
  });
  effect(() => {
    if (asking.value) busySince ||= performance.now();
    else if (busySince) {
      [took, busySince] = [performance.now() - busySince, 0];
      delete document.documentElement.dataset['renews'];
    }
    void outage.value;
    plan();
  });
  effect(() => {
    if (!held.value && !asking.value && present.value > now.peek()) advance(present.value);
  });
}

/** Says when the screen is asked again, unless it still is. */
function plan(): void {
  clearTimeout(timer);
  if (!follows.peek() || !seen.peek() || asking.peek() || outage.peek()) return;
  const come = isNews || (told ?? -1) > Math.max(newestSnapshot, asked);
  const since = performance.now() - askedAt;
  const quiet = told === null || isCut ? STEP : QUIET;
  timer = setTimeout(go, Math.max(PAUSE, REST * took, come ? 0 : quiet) - since, come) as unknown as number;
}

/** Asks the screen again: up to this second when runs came in, else up to the last step. */
function go(come: boolean): void {
  askedAt = performance.now();
  asked = told ?? -1;
  isNews = isCut = false;
  // A clock that was set back is waited for, but what came in is asked for.
  const least = present.peek();
  present.value = come ? Math.max(Math.ceil(Date.now() / SECOND) * SECOND, least + SECOND) : Math.max(step(), least);
  if (asking.peek()) document.documentElement.dataset['renews'] = '';
  plan();
}

/** What the tab with the stream tells the others: the newest snapshot, null when the stream has ended; and whether runs
 *  came in of which they cannot know by that.
 */
interface Told {
  snapshot: number | null;
  news: boolean;
}

function hear({ snapshot, news }: Told): void {
  told = snapshot;
  isNews ||= news;
  plan();
}

/** Takes part; returns what ends that. */
function join(): () => void {
  const left = new AbortController();
  const channel = new BroadcastChannel(NAME);
  let leads = false;
  const tell = (message: Told): void => {
    hear(message);
    channel.postMessage(message);
  };
  channel.onmessage = ({ data }: MessageEvent<Told | null>) => {
    if (data) hear(data);
    else if (leads) channel.postMessage({ snapshot: told, news: false });
  };
  channel.postMessage(null); // a tab that is new: who has the stream says so
  const begin = (): Promise<void> => {
    leads = true;
    return lead(left.signal, tell);
  };
  // Over plain HTTP from another machine a browser has no locks, and so no stream.
  navigator.locks?.request(NAME, { signal: left.signal }, begin).catch((error: unknown) => {
    if (!left.signal.aborted) throw error;
  });
  plan();
  return () => {
    left.abort();
    channel.close();
    told = null;
  };
}

/** Keeps a stream until the tab is left: opens it again where it ends, and when the service can be asked again. */
async function lead(left: AbortSignal, tell: (message: Told) => void): Promise<void> {
  let wake = (): void => {};
  const failure = new Failure(() => wake());
  const forget = effect(() => void (sessions.value && wake()));
  left.addEventListener('abort', () => wake());
  for (let isFirst = true; !left.aborted; isFirst = false) {
    const woken = new Promise<void>((done) => {
      wake = done;
    });
    try {
      await listen(left, (snapshot, news) => {
        failure.clear();
        tell({ snapshot, news: news || !isFirst });
      });
      setTimeout(wake, PAUSE);
    } catch (error) {
      if (!left.aborted) failure.take(error);
    }
    if (left.aborted) break;
    tell({ snapshot: null, news: false });
    await woken;
  }
  forget();
  failure.stop();
}

/** Hears a stream until it ends. Its first event is of the present, and of no run. */
async function listen(left: AbortSignal, heard: (snapshot: number, news: boolean) => void): Promise<void> {
  const silence = new AbortController();
  let watch = 0;
  const waits = (): void => {
    clearTimeout(watch);
    watch = setTimeout(() => silence.abort(), SILENCE) as unknown as number;
  };
  try {
    waits();
    const signal = AbortSignal.any([left, silence.signal]);
    const response = await fetched('/stream/runs', { headers: { Accept: EVENTS }, signal, cache: 'no-store' });
    if (response.headers.get('Content-Type')?.startsWith(EVENTS) !== true) {
      throw problemOf(response, await response.text());
    }
    let news = false;
    for await (const event of eventsOf(response.body!)) {
      waits();
      const [, snapshot] = /^id: (\d+)\nevent: /.exec(event) ?? [];
      if (!snapshot) continue; // a comment
      heard(Number(snapshot), news);
      news = true;
    }
  } catch (error) {
    if (!silence.signal.aborted) throw gone(error);
  } finally {
    clearTimeout(watch);
  }
}
