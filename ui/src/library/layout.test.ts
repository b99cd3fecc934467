import { beforeEach, expect, test } from 'vitest';

import { Layout } from './layout.svelte';

beforeEach(() => localStorage.clear());

test('what is chosen is there again, and what cannot be read changes nothing', () => {
  const layout = new Layout();
  layout.show('posters');
  layout.toggle('size');
  layout.toggle('tags');
  const again = new Layout();
  expect([again.kind, again.names]).toEqual(['posters', ['status', 'duration', 'age', 'tags']]);
  for (const odd of ['{', 'null', '5', '{"names":5,"kind":"x"}']) {
    localStorage.setItem('reeldesk.library.layout', odd);
    expect(new Layout().names).toEqual(['status', 'duration', 'size', 'age']);
  }
});

test('columns that find no room are left out from the end, and what is narrow keeps the age', () => {
  const layout = new Layout();
  const names = (width: number) => layout.fitting(width).columns.map(({ name }) => name);
  expect(names(80)).toEqual(['status', 'duration', 'size', 'age']);
  expect(names(41)).toEqual(['status', 'duration', 'size']);
  expect(names(30)).toEqual(['age']);
  expect(names(12)).toEqual([]);
  expect(layout.fitting(30).template).toBe('1.5rem minmax(0rem, 1fr) 6rem');
});
