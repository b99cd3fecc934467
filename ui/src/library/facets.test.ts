import { expect, test } from 'vitest';

import { facetName, GROUPS, isView, VIEWS } from './facets';

test('each filter has a name and a group', () => {
  expect(facetName({ kind: 'status', value: 'complete' })).toBe('Playable');
  expect(facetName({ kind: 'tag', value: 'genre=Drama' })).toBe('genre: Drama');
  expect(facetName({ kind: 'hdr' })).toBe('HDR');
  expect(new Set(GROUPS.flatMap(([kinds]) => kinds)).size).toBe(11);
});

test('a view is known by its filters, in any order', () => {
  const failed = VIEWS.find(({ name }) => name === 'Failed')?.facets ?? [];
  expect(isView([...failed].reverse(), failed)).toBe(true);
  expect(isView(failed.slice(1), failed)).toBe(false);
  expect(isView([], VIEWS[0]?.facets ?? failed)).toBe(true);
});
