import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Cursor, Error, Video } from '../bindings';

/** The catalog's newest videos, and the pages after them that were asked for. */
export class Library {
  #newest = $state<Video[]>([]);
  #older = $state<Video[]>([]);
  #next = $state<Cursor | null>(null);
  #pictures = new SvelteMap<string, string>();
  readAt = $state<number | null>(null);
  error = $state<Error | null>(null);
  /** Each once: a video moves from page to page when others come. */
  videos = $derived([...this.#newest, ...this.#older].filter((video, at, all) => all.findIndex((one) => one.guid === video.guid) === at));
  hasMore = $derived(this.#next !== null);

  constructor(readonly backend: backend.WorkspaceBackend) {}

  async load(): Promise<void> {
    this.error = null;
    try {
      const page = await this.backend.library(null);
      this.#older = [];
      this.#next = page.next;
      this.show(page.videos, Date.now());
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  }

  readonly more = async () => {
    try {
      const page = await this.backend.library(this.#next);
      this.#older = [...this.#older, ...page.videos];
      this.#next = page.next;
      void this.#showPictures(page.videos);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };

  show(videos: Video[], readAt: number): void {
    this.#newest = videos;
    this.readAt = readAt;
    this.error = null;
    void this.#showPictures(videos);
  }

  /** Where the window can load the video's picture from, once it is known. */
  picture(video: Video): string | undefined {
    return video.thumbnailUrl === null ? undefined : this.#pictures.get(video.thumbnailUrl);
  }

  async #showPictures(videos: Video[]): Promise<void> {
    const stored = videos.map((video) => video.thumbnailUrl).filter((url) => url !== null && !this.#pictures.has(url)) as string[];
    if (stored.length === 0) return;
    const local = await this.backend.localUrls(stored);
    stored.forEach((url, index) => {
      const found = local[index];
      if (found) this.#pictures.set(url, found);
    });
  }
}
