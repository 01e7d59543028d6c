import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { eventsOf } from '../src/net/parts';
import { Chase, Round } from '../src/net/round';

/** A question of a round, which is answered by hand. */
class Asked {
  shown: number | null = null;
  times = 0;
  under = new AbortController();

  constructor(readonly round: Round) {
    this.begin();
  }

  begin(): void {
    this.times += 1;
    this.under = new AbortController();
    this.round.join(this.under);
  }

  answer(snapshot: number | null, takesLong = false): void {
    const show = (): void => {
      this.shown = snapshot;
    };
    this.round.take(this.under, snapshot, show, takesLong ? null : () => this.begin());
  }
}

test('the answers of a round are shown together', () => {
  const round = new Round();
  const [a, b] = [new Asked(round), new Asked(round)];
  a.answer(7);
  assert.equal(a.shown, null);
  b.answer(7);
  assert.deepEqual([a.shown, b.shown], [7, 7]);
});

test('an answer that is older than another one is asked again, and at last shown as it is', () => {
  const round = new Round();
  const [a, b] = [new Asked(round), new Asked(round)];
  a.answer(7);
  b.answer(8);
  assert.deepEqual([a.times, b.times, b.shown], [2, 1, null]);
  a.answer(8);
  assert.deepEqual([a.shown, b.shown], [8, 8]);
  for (const one of [a, b]) one.begin();
  a.answer(9);
  for (let snapshot = 10; a.shown === 8; snapshot++) (snapshot % 2 ? a : b).answer(snapshot);
  assert.deepEqual([a.shown, b.shown, a.times + b.times], [15, 14, 10]);
});

test('an answer that took long, or is of no snapshot, is not asked again', () => {
  const round = new Round();
  const [a, b, c] = [new Asked(round), new Asked(round), new Asked(round)];
  a.answer(7, true);
  b.answer(null);
  c.answer(8);
  assert.deepEqual([a.shown, b.shown, c.shown], [7, null, 8]);
  assert.deepEqual([a.times, b.times, c.times], [1, 1, 1]);
});

test('nobody waits for a question that has ended, and what it was answered is not shown', () => {
  const round = new Round();
  const [a, b, c] = [new Asked(round), new Asked(round), new Asked(round)];
  a.answer(7);
  a.under.abort();
  b.answer(7);
  c.under.abort();
  assert.deepEqual([a.shown, b.shown, c.shown], [null, 7, null]);
});

test('an answer outside of a round is shown at once', () => {
  const round = new Round();
  let shown = false;
  round.take(new AbortController(), 7, () => (shown = true), null);
  assert.ok(shown);
});

test('a question follows each newer snapshot once, and not more than once a second', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const chase = new Chase();
  let times = 0;
  const follow = (newest: number | null): void => chase.follow(newest, '/runs?limit=1', () => times++);
  try {
    follow(5);
    follow(5);
    assert.equal(times, 1);
    for (const newest of [6, 7, 8]) follow(newest);
    assert.equal(times, 1);
    follow(null); // an answer of the newest came meanwhile
    mock.timers.tick(5000);
    assert.equal(times, 1);
  } finally {
    mock.timers.reset();
  }
});

test('a question that others chase is asked less and less often', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let clock = 0;
  const time = mock.method(performance, 'now', () => clock);
  const chase = new Chase();
  const asked: number[] = [];
  try {
    for (clock = 0; clock <= 100_000; clock += 500) {
      chase.follow(clock, '/runs?limit=1', () => asked.push(clock));
    }
    assert.deepEqual(asked, [0, 1000, 3000, 7000, 15_000, 31_000, 61_000, 91_000]);
    chase.begin();
    clock += 30_000;
    chase.follow(clock, '/runs?limit=1', () => asked.push(clock));
    clock += 1000;
    chase.follow(clock, '/runs?limit=1', () => asked.push(clock));
    assert.equal(asked.length, 10);
  } finally {
    time.mock.restore();
    mock.timers.reset();
  }
});

test('events are found however they are cut', async () => {
  const text = ': \nid: 3\n\nid: 4\nevent: runs\ndata: {"é":1}\n\nid: 5\nevent: reset\ndata: {}\n\nid: 6';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size < 40; size++) {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(sent) {
        for (let at = 0; at < bytes.length; at += size) sent.enqueue(bytes.slice(at, at + size));
        sent.close();
      },
    });
    const found: string[] = [];
    for await (const event of eventsOf(body)) found.push(event);
    assert.deepEqual(found, text.split('\n\n').slice(0, -1));
  }
});
