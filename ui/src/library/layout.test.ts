import { expect, test } from 'vitest';

import type { LibraryLayout } from '../bindings';
import { Layout } from './layout.svelte';

test('what is chosen is kept, and names that are none are left out', () => {
  const kept: LibraryLayout[] = [];
  const layout = new Layout((one) => Promise.resolve(void kept.push(one)));
  layout.show('posters');
  layout.toggle('size');
  layout.toggle('tags');
  const last = kept.at(-1);
  expect(last).toEqual({ posters: true, columns: ['status', 'duration', 'age', 'tags'] });
  const again = new Layout(() => Promise.reject(new Error('the disk is full')));
  again.take({ posters: true, columns: [...(last?.columns ?? []), 'nothing'] });
  expect([again.kind, again.names]).toEqual(['posters', ['status', 'duration', 'age', 'tags']]);
  again.take({ posters: false });
  again.show('posters');
  expect([again.kind, again.names]).toEqual(['posters', ['status', 'duration', 'size', 'age']]);
});

test('columns that find no room are left out from the end, and what is narrow keeps the age', () => {
  const layout = new Layout(() => Promise.resolve());
  const names = (width: number) => layout.fitting(width).columns.map(({ name }) => name);
  expect(names(80)).toEqual(['status', 'duration', 'size', 'age']);
  expect(names(41)).toEqual(['status', 'duration', 'size']);
  expect(names(30)).toEqual(['age']);
  expect(names(12)).toEqual([]);
  expect(layout.fitting(30).template).toBe('1.5rem minmax(0rem, 1fr) 6rem');
});
