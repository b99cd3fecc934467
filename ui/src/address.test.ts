import { expect, test } from 'vitest';

import { addressOf, isTyping, type Place, placeOf } from './address';

const ALL: Place['query'] = { text: '', facets: [], from: null, until: null, sort: 'started', descending: true };

test('an address leads back to its place', () => {
  const places: Place[] = [
    { screen: 'library', opened: null, query: ALL },
    { screen: 'library', opened: 'g-1 &?#', query: { text: 'Émile & "x" #1', facets: [{ kind: 'status', value: 'error' }, { kind: 'hdr' }, { kind: 'tag', value: 'a=b&c' }], from: 1_767_222_000_000, until: null, sort: 'title', descending: false } },
    { screen: 'library', opened: null, query: { ...ALL, text: 'a', from: 5, until: 1_767_222_000_123, sort: 'match' } },
    { screen: 'library', opened: null, query: { ...ALL, sort: 'duration', descending: true } },
    { screen: 'library', opened: null, query: { ...ALL, descending: false } },
    { screen: 'activity', opened: null, query: ALL },
  ];
  for (const place of places) expect(placeOf(addressOf(place))).toEqual(place);
  expect(addressOf({ screen: 'library', opened: null, query: ALL })).toBe('#/library');
});

test('what is no address leads nowhere, and what is odd in one is left out', () => {
  for (const odd of ['', '#', '#/nowhere', 'library', '#/library/x']) expect(placeOf(odd)).toBe(null);
  expect(placeOf('#/library?f={&f=1&f={"kind":"hdr"}&sort=x&from=soon&until=')?.query).toEqual({ ...ALL, facets: [{ kind: 'hdr' }], descending: false });
});

test('what is typed on is no new step', () => {
  expect(isTyping('#/library?q=n', '#/library?q=ni')).toBe(true);
  expect(isTyping('#/library', '#/library?q=n')).toBe(false);
  expect(isTyping('#/library?q=n', '#/library?q=n&open=g')).toBe(false);
  expect(isTyping('#/library?q=n', '#/jobs')).toBe(false);
});
