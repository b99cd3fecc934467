import { expect, test } from 'vitest';

import { marked } from './marks';

const found = (text: string, typed: string) =>
  marked(text, typed)
    .map(({ text: piece, isMatch }) => (isMatch ? `[${piece}]` : piece))
    .join('');

test('what was typed is marked where a word begins', () => {
  expect(found('Big Buck Bunny', 'bu')).toBe('Big [Bu]ck [Bu]nny');
  expect(found('Big Buck Bunny', 'bunny b')).toBe('[B]ig [B]uck [Bunny]');
  expect(found('Big Buck Bunny', 'uck')).toBe('Big Buck Bunny');
  expect(found('Big Buck Bunny', ' ')).toBe('Big Buck Bunny');
});

test('accents and case are one', () => {
  expect(found('Épisode 1', 'epi')).toBe('[Épi]sode 1');
  expect(found('E\u0301pisode', 'épi')).toBe('[E\u0301pi]sode');
  expect(found('episode', 'ÉPI')).toBe('[epi]sode');
});

test('parts of file names and texts without spaces', () => {
  expect(found('S01E02_final', 'e02 fin')).toBe('S01[E02]_[fin]al');
  expect(found('BigBuckBunny.mov', 'buck')).toBe('Big[Buck]Bunny.mov');
  expect(found('東京物語', '物語')).toBe('東京[物語]');
});

test('markup is only text', () => {
  expect(found('<b>bold</b>', 'b')).toBe('<[b]>[b]old</[b]>');
});
