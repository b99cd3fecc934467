import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { VideoQuery, VideoSummary } from '../bindings';
import type { WorkspaceBackend } from '../commands';
import { Library } from './library.svelte';

/** A catalog of videos that began at these seconds, the newest first. */
class Catalog {
  seconds: number[] = [];
  readonly setInSight = () => Promise.resolve(null);
  readonly localUrls = (stored: string[]) => Promise.resolve(stored.map(() => null));
  readonly nearestTitles = () => Promise.resolve(['video 3']);
  readonly whyNotEdit = () => Promise.resolve(null);
  readonly mirrorAge = () => Promise.resolve({ readAt: 1, sweptAt: 1 });

  #found({ text, from, until }: VideoQuery): number[] {
    const fits = (second: number) => `video ${second}`.includes(text) && (from === null || second * 1000 >= from) && (until === null || second * 1000 < until);
    return this.seconds.filter(fits).sort((one, other) => other - one);
  }
  readonly findVideos = (query: VideoQuery, first: number, most: number) =>
    Promise.resolve({ videos: this.#found(query).slice(first, first + most).map((second) => ({ guid: String(second), title: `video ${second}`, startedAt: second * 1000, thumbnailUrl: null }) as VideoSummary) });
  readonly countVideos = (query: VideoQuery) => Promise.resolve({ found: this.#found(query).length, total: this.seconds.length, facets: [] });
}

let catalog: Catalog;
let library: Library;
const titles = () => Array.from({ length: library.rows.total }, (_, index) => library.rows.at(index)?.title);

beforeEach(async () => {
  vi.useFakeTimers();
  catalog = new Catalog();
  catalog.seconds = [1, 2, 3];
  library = new Library(catalog as unknown as WorkspaceBackend);
  await library.load();
  await vi.runAllTimersAsync();
});
afterEach(() => void vi.useRealTimers());

test('what is newer waits while someone looks at the list, and comes in otherwise', async () => {
  expect(titles()).toEqual(['video 3', 'video 2', 'video 1']);
  library.isWatched = true;
  catalog.seconds.push(4, 5);
  library.hear(2);
  await vi.runAllTimersAsync();
  expect([titles(), library.newer]).toEqual([['video 3', 'video 2', 'video 1'], 2]);
  library.showNewer();
  await vi.runAllTimersAsync();
  expect([titles()[0], library.newer]).toEqual(['video 5', 0]);
  library.isWatched = false;
  catalog.seconds.push(6);
  library.hear(3);
  await vi.runAllTimersAsync();
  expect([titles()[0], library.newer]).toEqual(['video 6', 0]);
});

test('a search that is taken back leaves the list whole', async () => {
  library.look({ text: '1' });
  await vi.runAllTimersAsync();
  expect([titles(), library.counts?.found]).toEqual([['video 1'], 1]);
  library.isWatched = true;
  library.hear(2);
  library.look({ text: '' });
  library.hear(3);
  await vi.runAllTimersAsync();
  expect([titles(), library.newer, library.counts?.found]).toEqual([['video 3', 'video 2', 'video 1'], 0, 3]);
});

test('a list by title is never cut', async () => {
  library.isWatched = true;
  library.sortBy('title');
  await vi.runAllTimersAsync();
  catalog.seconds.push(9);
  library.hear(2);
  await vi.runAllTimersAsync();
  expect(library.rows.total).toBe(4);
});

test('where nothing is found the nearest titles are offered', async () => {
  library.look({ text: 'vidoe' });
  await vi.runAllTimersAsync();
  expect([titles(), library.nearest]).toEqual([[], ['video 3']]);
  library.look({ text: '3' });
  await vi.runAllTimersAsync();
  expect([titles(), library.nearest]).toEqual([['video 3'], []]);
});
