import { expect, test } from 'vitest';

import { dayOf, facetName, GROUPS, isView, timeOf, VIEWS } from './facets';

test('each filter has a name and a group', () => {
  expect(facetName({ kind: 'status', value: 'complete' })).toBe('Playable');
  expect(facetName({ kind: 'tag', value: 'genre=Drama' })).toBe('genre: Drama');
  expect(facetName({ kind: 'hdr' })).toBe('HDR');
  expect(new Set(GROUPS.flatMap(([kinds]) => kinds)).size).toBe(13);
});

test('a view is known by its filters, in any order', () => {
  const failed = VIEWS.find(({ name }) => name === 'Failed')?.facets ?? [];
  expect(isView([...failed].reverse(), failed)).toBe(true);
  expect(isView(failed.slice(1), failed)).toBe(false);
  expect(isView([], VIEWS[0]?.facets ?? failed)).toBe(true);
});

test('a day is one of this place, whatever its clock does', () => {
  for (const day of ['2026-01-31', '2026-03-29', '2026-12-31']) expect(dayOf(timeOf(day))).toBe(day);
  expect(dayOf(timeOf('2026-12-31', 1))).toBe('2027-01-01');
  expect([timeOf(''), timeOf('soon'), dayOf(null)]).toEqual([null, null, '']);
});
