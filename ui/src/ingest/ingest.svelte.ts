import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Error, Journey } from '../bindings';

/** The journeys, as the core last told them. */
export class Ingest {
  #all = new SvelteMap<string, Journey>();
  error = $state<Error | null>(null);
  /** Newest first. */
  journeys = $derived([...this.#all.values()].sort((a, b) => b.position - a.position));

  async load(): Promise<void> {
    const journeys = await backend.journeys();
    this.#all.clear();
    for (const journey of journeys) this.put(journey);
  }

  put(journey: Journey): void {
    this.#all.set(journey.id, journey);
  }

  readonly add = (paths: string[]) => this.#try(async () => {
    if (paths.length > 0) await backend.addPaths(paths);
  });
  readonly chooseFiles = () => this.#try(async () => void (await backend.addPaths(await backend.chooseFiles())));
  readonly chooseFolders = () => this.#try(async () => void (await backend.addPaths(await backend.chooseFolders())));
  readonly cancel = (id: string) => this.#try(() => backend.cancelJourney(id));
  readonly retry = (id: string) => this.#try(() => backend.retryJourney(id));
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
