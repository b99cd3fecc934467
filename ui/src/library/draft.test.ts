import { expect, test } from 'vitest';

import type { Video, VideoDetails } from '../bindings';
import { Draft } from './draft.svelte';
import { iso } from './fields';
import { curl, embed, frames } from './outputs';

const NONE: VideoDetails = { title: null, description: null, tags: {}, sidecars: {}, published: null, publishFrom: null, publishUntil: null, poster: null, trashedAt: null };
const video = (details: Partial<VideoDetails>) => ({ details: { ...NONE, ...details } }) as Video;

test('what is not typed is no change', () => {
  const draft = new Draft(video({ title: 'Dune', tags: { genre: 'Drama' }, published: true, publishFrom: 1_767_312_005_120 }));
  expect([draft.changes, draft.isChanged]).toEqual([[], false]);
  draft.title = ' Dune ';
  expect(draft.isChanged).toBe(false);
  // As another tool wrote it.
  expect(new Draft(video({ title: ' Dune ', tags: { ' odd ': ' x ', empty: '' } })).changes).toEqual([]);
});

test('what is typed is told with what was read', () => {
  const draft = new Draft(video({ title: 'Dune', tags: { genre: 'Drama', season: '1' } }));
  draft.title = '';
  draft.tags = [
    { name: 'genre', value: 'Noir' },
    { name: ' ', value: 'x' },
    { name: 'year', value: '1984' },
  ];
  draft.published = 'false';
  expect(draft.changes).toEqual([
    { field: { kind: 'title' }, before: 'Dune', after: null },
    { field: { kind: 'published' }, before: null, after: 'false' },
    { field: { kind: 'tag', name: 'genre' }, before: 'Drama', after: 'Noir' },
    { field: { kind: 'tag', name: 'season' }, before: '1', after: null },
    { field: { kind: 'tag', name: 'year' }, before: null, after: '1984' },
  ]);
  draft.take(video({ title: 'Dune' }));
  expect([draft.changes, draft.title]).toEqual([[], 'Dune']);
});

test('where someone else was first, mine is on theirs, or theirs is taken', () => {
  const title = { field: { kind: 'title' }, before: 'Dune', after: 'Theirs' } as const;
  const genre = { field: { kind: 'tag', name: 'genre' }, before: null, after: 'Noir' } as const;
  const draft = new Draft(video({ title: 'Dune' }));
  draft.title = 'Mine';
  draft.tags = [{ name: 'genre', value: 'Drama' }];
  draft.ask([title, genre]);
  draft.choose(title, true);
  draft.choose(genre, false);
  expect(draft.theirs).toEqual([]);
  expect(draft.changes).toEqual([{ field: { kind: 'title' }, before: 'Theirs', after: 'Mine' }]);
});

test('what was taken of theirs keeps its seconds', () => {
  const draft = new Draft(video({}));
  draft.published = 'true';
  draft.from = '2026-01-02T00:00';
  const theirs = { field: { kind: 'publishFrom' }, before: null, after: '2026-05-05T18:00:30Z' } as const;
  draft.ask([theirs]);
  draft.choose(theirs, false);
  expect(draft.changes).toEqual([{ field: { kind: 'published' }, before: null, after: 'true' }]);
});

test('times are written as the core writes them', () => {
  expect([iso(1_767_312_000_000), iso(1_767_312_005_120), iso(1_767_312_005_001), iso(null)]).toEqual(['2026-01-02T00:00:00Z', '2026-01-02T00:00:05.12Z', '2026-01-02T00:00:05.001Z', null]);
});

test('addresses are copied so that nothing in them is more than text', () => {
  expect(embed('hls', 'https://cdn/a"b&c.m3u8', '<x>')).toBe('<video controls src="https://cdn/a&quot;b&amp;c.m3u8" title="&lt;x>"></video>');
  expect(curl("https://cdn/it's.m3u8")).toBe(String.raw`curl --fail --range 0-1023 --output - 'https://cdn/it'\''s.m3u8'`);
});

test('the captured pictures are those up to the last', () => {
  expect(frames('https://cdn/a.0000002.jpg')).toEqual(['https://cdn/a.0000000.jpg', 'https://cdn/a.0000001.jpg', 'https://cdn/a.0000002.jpg']);
  const many = frames('https://cdn/a.0000999.jpg');
  expect([many.length, many[0], many.at(-1)]).toEqual([12, 'https://cdn/a.0000000.jpg', 'https://cdn/a.0000999.jpg']);
  expect(frames('https://cdn/poster.jpg')).toEqual(['https://cdn/poster.jpg']);
});

test('labels and removals of files are saved with the rest; a file that was added leaves them typed', () => {
  const draft = new Draft(video({ sidecars: { 'a/a.en.vtt': 'English', 'a/a.de.vtt': '', 'a/a.fr.vtt': '' } }));
  draft.sidecars = draft.sidecars.filter(({ key }) => key !== 'a/a.fr.vtt').map((one) => (one.key === 'a/a.de.vtt' ? { ...one, label: ' German ' } : one));
  const changes = [
    { field: { kind: 'sidecar', name: 'a/a.de.vtt' }, before: '', after: 'German' },
    { field: { kind: 'sidecar', name: 'a/a.fr.vtt' }, before: '', after: null },
  ];
  expect(draft.changes).toEqual(changes);
  draft.takeSidecars(video({ sidecars: { 'a/a.en.vtt': 'English', 'a/a.de.vtt': '', 'a/a.fr.vtt': '', 'a/a.ja.vtt': 'Japanese' } }));
  expect(draft.changes).toEqual(changes);
  expect(draft.sidecars.map(({ key }) => key)).toEqual(['a/a.en.vtt', 'a/a.de.vtt', 'a/a.ja.vtt']);
});

test('a label that someone else changed meanwhile is theirs', () => {
  const draft = new Draft(video({ sidecars: { 'a.en.vtt': 'English', 'a.de.vtt': 'German' } }));
  draft.title = 'Typed';
  draft.takeSidecars(video({ sidecars: { 'a.en.vtt': 'Renamed', 'a.de.vtt': 'German', 'a.ja.vtt': 'Japanese' } }));
  expect(draft.changes).toEqual([{ field: { kind: 'title' }, before: null, after: 'Typed' }]);
  expect(draft.sidecars[0]).toEqual({ key: 'a.en.vtt', label: 'Renamed' });
});
