import { SvelteMap } from 'svelte/reactivity';

import type { WorkspaceBackend } from '../backend';
import type { Query, Viewer } from '../bindings';

const PAGE = 100;

/** A list that is too long to be held: the pages in sight, asked for as they come into sight. */
export class Rows {
  total = $state(0);
  /** The query that `total` and the pages are of; none before the first answer. */
  of = $state.raw<Query | null>(null);
  #pages = new SvelteMap<number, Viewer[]>();
  #asked: number[] = [];
  #sight: number[] = [];
  #query: Query | null = null;
  #round = 0;

  constructor(readonly backend: WorkspaceBackend) {}

  /** The row of a place, once it is there. */
  at(index: number): Viewer | undefined {
    const page = Math.floor(index / PAGE);
    this.#sight = [page, ...this.#sight.filter((other) => other !== page)].slice(0, 3);
    const rows = this.#pages.get(page);
    if (rows === undefined && !this.#asked.includes(page)) queueMicrotask(() => void this.#ask(page));
    return rows?.[index % PAGE];
  }

  /** Shows another query, or the same one anew: what is in sight stays until its successor is there. */
  async show(query: Query): Promise<void> {
    const isSame = this.#query === query;
    this.#query = query;
    this.#round += 1;
    const sight = isSame ? this.#sight : [0];
    this.#asked = [];
    const round = this.#round;
    const fresh = await Promise.all(sight.map(async (page) => [page, await this.backend.findViewers(query, page * PAGE, PAGE)] as const));
    if (round !== this.#round) return;
    this.#pages.clear();
    for (const [page, found] of fresh) {
      this.#pages.set(page, found.viewers);
      this.#asked.push(page);
      this.total = found.total;
    }
    if (fresh.length === 0) this.total = (await this.backend.findViewers(query, 0, 0)).total;
    this.of = query;
  }

  /** Those from one place to another. */
  async between(first: number, last: number): Promise<Viewer[]> {
    if (this.#query === null) return [];
    return (await this.backend.findViewers(this.#query, Math.min(first, last), Math.abs(last - first) + 1)).viewers;
  }

  async #ask(page: number): Promise<void> {
    if (this.#query === null || this.#asked.includes(page)) return;
    this.#asked.push(page);
    const round = this.#round;
    try {
      const found = await this.backend.findViewers(this.#query, page * PAGE, PAGE);
      if (round !== this.#round) return;
      this.#pages.set(page, found.viewers);
      this.total = found.total;
    } catch {
      // It is asked for again when it comes into sight again.
      this.#asked = this.#asked.filter((other) => other !== page);
    }
  }
}
