import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Error, Journey, Orphan, Wish } from '../bindings';

/** The journeys, as the core last told them. */
export class Ingest {
  #all = new SvelteMap<string, Journey>();
  error = $state<Error | null>(null);
  /** Bytes a second; none for as much as the line carries. */
  limit = $state<number | null>(null);
  /** Unfinished uploads that no journey will finish; none before they were looked for. */
  orphans = $state<Orphan[] | null>(null);
  /** Newest first. */
  journeys = $derived([...this.#all.values()].sort((a, b) => b.position - a.position));

  async load(): Promise<void> {
    const journeys = await backend.journeys();
    this.#all.clear();
    for (const journey of journeys) this.put(journey);
    this.limit = await backend.uploadLimit();
  }

  put(journey: Journey): void {
    this.#all.set(journey.id, journey);
  }

  readonly add = (paths: string[]) => this.#try(async () => {
    if (paths.length > 0) await backend.addPaths(paths);
  });
  readonly chooseFiles = () => this.#try(async () => void (await backend.addPaths(await backend.chooseFiles())));
  readonly chooseFolders = () => this.#try(async () => void (await backend.addPaths(await backend.chooseFolders())));
  readonly steer = (id: string, wish: Wish) => this.#try(() => backend.steer(id, wish));
  readonly steerAll = (wish: Wish) => this.#try(() => backend.steerAll(wish));
  readonly setLimit = (bytesPerSecond: number | null) => this.#try(async () => {
    await backend.setUploadLimit(bytesPerSecond);
    this.limit = bytesPerSecond;
  });
  readonly loadOrphans = () => this.#try(async () => {
    this.orphans = await backend.orphans();
  });
  readonly removeOrphan = (orphan: Orphan) => this.#try(async () => {
    await backend.removeOrphan(orphan);
    this.orphans = await backend.orphans();
  });
  readonly dismiss = (id: string) => this.#try(() => backend.dismissJourney(id));

  async #try(work: () => Promise<unknown>): Promise<void> {
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  }
}
