import { expect, test } from 'vitest';

import { Rows, type Found } from './rows.svelte';

/** Rows whose answers come when the test wants them to. */
function held() {
  const asked: { query: string; first: number; answer: (found: Found<string>) => void }[] = [];
  const rows = new Rows<string, string>((query, first) => new Promise((answer) => asked.push({ query, first, answer })));
  return { rows, asked };
}

const many = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}${index}`);

test('an answer that comes late is of another question, and is not shown', async () => {
  const { rows, asked } = held();
  const [first, second] = [rows.show('a'), rows.show('b')];
  asked[1]?.answer({ rows: ['b0'] });
  expect(await second).toBe(true);
  asked[0]?.answer({ rows: ['a0', 'a1'] });
  expect(await first).toBe(false);
  expect([rows.of, rows.at(0), rows.total]).toEqual(['b', 'b0', 1]);
});

test('what there is of another query is not known before it is counted', async () => {
  const { rows, asked } = held();
  const first = rows.show('a');
  asked[0]?.answer({ rows: many('a', 100), total: 5000 });
  await first;
  expect(rows.total).toBe(5000);
  const second = rows.show('b');
  asked[1]?.answer({ rows: many('b', 100) });
  await second;
  expect(rows.total).toBe(100);
});

test('the same rows anew stay in sight until their successors are there', async () => {
  const { rows, asked } = held();
  const first = rows.show('a');
  asked[0]?.answer({ rows: many('a', 100), total: 300 });
  await first;
  rows.at(0);
  rows.at(250);
  await Promise.resolve();
  asked[1]?.answer({ rows: many('c', 100), total: 300 });
  await Promise.resolve();
  const again = rows.show('a2', true);
  expect(rows.at(0)).toBe('a0');
  expect(asked.slice(2).map(({ first }) => first)).toEqual([200, 0]);
  asked.slice(2).forEach(({ first, answer }) => answer({ rows: many(`n${first}-`, 100), total: 301 }));
  await again;
  expect([rows.at(0), rows.at(250), rows.total]).toEqual(['n0-0', 'n200-50', 301]);
});
