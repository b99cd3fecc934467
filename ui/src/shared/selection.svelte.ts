import { SvelteSet } from 'svelte/reactivity';

import type { Rows } from './rows.svelte';

/** Which rows of a long list are chosen: by key, so that they stay it while the list is renewed; or all that it finds. */
export class Selection<Query, Row> {
  readonly keys = new SvelteSet<string>();
  /** All that the query finds are meant, also those that nobody has seen. */
  hasAll = $state(false);
  count = $derived.by(() => (this.hasAll ? this.rows.total : this.keys.size));
  /** Where a range begins; nowhere before a row was chosen. */
  #last: number | null = null;

  constructor(
    readonly rows: Rows<Query, Row>,
    readonly keyOf: (row: Row) => string,
  ) {}

  readonly clear = () => {
    this.keys.clear();
    this.hasAll = false;
    this.#last = null;
  };
  readonly chooseAll = () => {
    this.keys.clear();
    this.hasAll = this.rows.total > 0;
  };
  has(row: Row): boolean {
    return this.hasAll || this.keys.has(this.keyOf(row));
  }
  /** Chooses a row or lets go of it; with a range, all from the last one chosen. */
  async choose(row: Row, index: number, isRange: boolean): Promise<void> {
    if (this.hasAll) this.clear();
    else if (isRange && this.#last !== null) for (const one of await this.rows.between(this.#last, index)) this.keys.add(this.keyOf(one));
    else if (!this.keys.delete(this.keyOf(row))) this.keys.add(this.keyOf(row));
    this.#last = index;
  }
}
