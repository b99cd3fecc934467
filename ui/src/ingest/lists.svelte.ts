import type { BatchSummary, Error, Journey, JourneyCommand } from '../bindings';
import type { Ingest } from './ingest.svelte';
import { type Counts, counts } from './stages';

/** A list of files: that of one workspace, or of several. */
export interface JourneyList {
  /** Newest first. */
  readonly journeys: Journey[];
  /** Those that are searched for. */
  readonly found: Journey[];
  readonly counts: Counts;
  readonly summaries: BatchSummary[];
  /** Why something could not be done. */
  readonly error: Error | null;
  /** The list of each workspace in it. */
  readonly parts: Ingest[];
  /** The one that a file is in. */
  of(journey: Journey): Ingest;
  steerAll(command: JourneyCommand): unknown;
  clear(): unknown;
  dismissSummaries(): void;
}

/** The lists of several workspaces as one; the search is that of the list that is shown without the others. */
export class SeveralLists implements JourneyList {
  readonly #of: () => Ingest[];
  readonly #shown: () => Ingest;
  parts = $derived.by(() => this.#of());
  journeys = $derived(merged(this.parts.map((one) => one.journeys)));
  found = $derived.by(() => merged(this.parts.map((one) => one.matching(this.#shown().wanted))));
  counts = $derived(counts(this.journeys));
  error = $derived(this.parts.find((one) => one.error !== null)?.error ?? null);
  summaries = $derived(this.parts.flatMap((one) => one.summaries));

  constructor(of: () => Ingest[], shown: () => Ingest) {
    this.#of = of;
    this.#shown = shown;
  }

  of(journey: Journey): Ingest {
    return this.parts.find((one) => one.find(journey.id) !== undefined) ?? this.#shown();
  }
  readonly steerAll = (command: JourneyCommand) => Promise.all(this.parts.map((one) => one.steerAll(command)));
  readonly clear = () => Promise.all(this.parts.map((one) => one.clear()));
  readonly dismissSummaries = () => {
    for (const one of this.parts) one.dismissSummaries();
  };
}

/** Newest first. */
function merged(lists: Journey[][]): Journey[] {
  const [only] = lists;
  if (lists.length === 1 && only) return only;
  return lists.flat().toSorted((one, other) => other.addedAt - one.addedAt || other.position - one.position);
}
