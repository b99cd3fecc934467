import { SvelteMap } from 'svelte/reactivity';

const PAGE = 100;

/** Some rows of a query; how many it finds, where that is known at once. */
export interface Found<Row> {
  rows: Row[];
  total?: number;
}

/** A list that is too long to be held: the pages in sight, asked for as they come into sight. */
export class Rows<Query, Row> {
  total = $state(0);
  /** The query that `total` and the pages are of; none before the first answer. */
  of = $state.raw<Query | null>(null);
  #pages = new SvelteMap<number, Row[]>();
  #asked: number[] = [];
  #sight: number[] = [];
  #query: Query | null = null;
  #round = 0;
  readonly #find: (query: Query, first: number, most: number) => Promise<Found<Row>>;

  constructor(find: (query: Query, first: number, most: number) => Promise<Found<Row>>) {
    this.#find = find;
  }

  /** The row of a place, once it is there. */
  at(index: number): Row | undefined {
    const page = Math.floor(index / PAGE);
    this.#sight = [page, ...this.#sight.filter((other) => other !== page)].slice(0, 3);
    const rows = this.#pages.get(page);
    if (rows === undefined && !this.#asked.includes(page)) queueMicrotask(() => void this.#ask(page));
    return rows?.[index % PAGE];
  }

  /** The rows of the pages in sight. */
  get known(): Row[] {
    return [...this.#pages.values()].flat();
  }

  /** Shows another query, or one of the same rows anew: what is in sight stays until its successor is there. `hasSameTotal`:
   * the same rows in another order. Answers whether it is shown: another question may have come meanwhile. */
  async show(query: Query, isSame = this.#query === query, hasSameTotal = isSame): Promise<boolean> {
    this.#query = query;
    this.#round += 1;
    const sight = isSame ? this.#sight : [0];
    this.#asked = [];
    const round = this.#round;
    const fresh = await Promise.all(sight.map(async (page) => [page, await this.#find(query, page * PAGE, PAGE)] as const));
    if (round !== this.#round) return false;
    this.#pages.clear();
    if (!hasSameTotal) this.total = 0;
    for (const [page, found] of fresh) {
      this.#pages.set(page, found.rows);
      this.#asked.push(page);
      this.#count(page, found);
    }
    if (fresh.length === 0) this.total = (await this.#find(query, 0, 0)).total ?? this.total;
    this.of = query;
    return true;
  }

  /** Those from one place to another. */
  async between(first: number, last: number): Promise<Row[]> {
    if (this.#query === null) return [];
    return (await this.#find(this.#query, Math.min(first, last), Math.abs(last - first) + 1)).rows;
  }

  async #ask(page: number): Promise<void> {
    if (this.#query === null || this.#asked.includes(page)) return;
    this.#asked.push(page);
    const round = this.#round;
    try {
      const found = await this.#find(this.#query, page * PAGE, PAGE);
      if (round !== this.#round) return;
      this.#pages.set(page, found.rows);
      this.#count(page, found);
    } catch {
      // It is asked for again when it comes into sight again.
      this.#asked = this.#asked.filter((other) => other !== page);
    }
  }

  /** A page that is not full is the last one. */
  #count(page: number, { rows, total }: Found<Row>): void {
    const until = page * PAGE + rows.length;
    if (total !== undefined) this.total = total;
    else if (rows.length < PAGE && (rows.length > 0 || page === 0)) this.total = until;
    else this.total = Math.max(this.total, until);
  }
}
