import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scroll, TALLEST } from '../src/table/scroll';

const screen = 600;
const row = 30;

test('a list that fits is mapped one to one', () => {
  const scroll = new Scroll();
  const sizes = { total: 10_000, row, screen };
  assert.deepEqual(scroll.at(3000, sizes), { first: 92, last: 128, top: 2760, height: 300_000 });
  assert.equal(scroll.at(1e9, sizes).last, 10_000);
});

test('a list of a hundred million rows: both ends are reached, and a small step moves by as much', () => {
  const scroll = new Scroll();
  const sizes = { total: 100_000_000, row, screen };
  assert.equal(scroll.at(0, sizes).first, 0);
  const most = TALLEST - screen;
  assert.equal(scroll.at(most, sizes).last, sizes.total);
  // Dragged to the middle, then the wheel.
  const middle = scroll.at(most / 2, sizes);
  assert.ok(Math.abs(middle.first - sizes.total / 2) < 1000);
  const next = scroll.at(most / 2 + 300, sizes);
  assert.equal(next.first - middle.first, 10);
});

test('every row is drawn where it belongs, whatever the way', () => {
  const sizes = { total: 5_000_000, row, screen };
  const scroll = new Scroll();
  let [place, seed] = [0, 7];
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  for (let n = 0; n < 5000; n++) {
    place = random() < 0.1 ? random() * (TALLEST - screen) : place + (random() - 0.5) * 500;
    place = Math.min(TALLEST - screen, Math.max(0, place));
    const view = scroll.at(place, sizes);
    const covered = view.top <= place + 1 && view.top + (view.last - view.first) * row >= place + screen - 1;
    assert.ok(covered, `${place}: ${JSON.stringify(view)}`);
    assert.ok(view.first >= 0 && view.last <= sizes.total);
  }
});

test('going to a row shows it at the top', () => {
  const sizes = { total: 5_000_000, row, screen };
  const scroll = new Scroll();
  for (const rank of [0, 1, 4_321_987, 2_500_000, 4_999_999]) {
    const place = scroll.to(rank, sizes);
    const view = scroll.at(place, sizes);
    assert.ok(view.first <= rank && rank < view.last, String(rank));
  }
});
