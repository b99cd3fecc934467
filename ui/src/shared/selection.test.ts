import { expect, test } from 'vitest';

import { Rows } from './rows.svelte';
import { Run, type Summary } from './run.svelte';
import { Selection } from './selection.svelte';

const rows = () => new Rows<string, number>((_, first, most) => Promise.resolve({ rows: Array.from({ length: most }, (_, index) => first + index), total: 1000 }));

test('a range goes from the row that was chosen last, and from none that is forgotten', async () => {
  const list = rows();
  await list.show('all');
  const selection = new Selection(list, String);
  await selection.choose(500, 500, true);
  expect([...selection.keys]).toEqual(['500']);
  await selection.choose(503, 503, true);
  expect([...selection.keys]).toEqual(['500', '501', '502', '503']);
  selection.clear();
  await selection.choose(7, 7, true);
  expect([...selection.keys]).toEqual(['7']);
  selection.chooseAll();
  expect([selection.count, selection.has(3)]).toEqual([1000, true]);
  await selection.choose(3, 3, false);
  expect(selection.count).toBe(0);
});

test('while something is done nothing else is begun', async () => {
  const summary: Summary = { run: 'r', done: 1, canBeUndone: true };
  const run = new Run<string, Summary>(
    (result) => result === 'failed',
    () => Promise.resolve(summary),
  );
  let end: (summary: Summary) => void = () => undefined;
  const first = run.begin('First', 2, (hear) => {
    hear('failed');
    return new Promise((done) => (end = done));
  });
  expect(await run.begin('Second', 9, () => Promise.resolve(summary))).toBe(false);
  expect([run.title, run.of, run.busy, run.failures]).toEqual(['First', 2, true, ['failed']]);
  end(summary);
  expect(await first).toBe(true);
  expect(run.busy).toBe(false);
  await run.undo();
  expect(run.title).toBe('Undo: First');
});
