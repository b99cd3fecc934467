import { expect, test } from 'vitest';

import { Stillness } from './stillness';

const still = { position: 0.18, shouldMove: true, hasNext: true };

test('a film that stands still is noticed once in each time of patience', () => {
  const stillness = new Stillness(3000);
  const stuck = [0, 500, 1000, 3400, 3600, 4000, 6900, 7100].filter((now) => stillness.isStuck({ now, ...still }));
  expect(stuck).toEqual([3600, 7100]);
});

test('one that moves, is paused or waits for the network is not', () => {
  const stillness = new Stillness(3000);
  for (let now = 0; now < 20_000; now += 500) {
    expect(stillness.isStuck({ now, ...still, position: now / 1000 })).toBe(false);
  }
  for (let now = 20_000; now < 40_000; now += 500) {
    expect(stillness.isStuck({ now, ...still, shouldMove: false })).toBe(false);
    expect(stillness.isStuck({ now, ...still, hasNext: false })).toBe(false);
  }
});
