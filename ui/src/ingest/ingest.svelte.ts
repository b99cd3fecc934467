import type { WorkspaceBackend } from '../backend';
import type { Resolution, BatchSummary, Error, Journey, Limits, Orphan, JourneyCommand } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';
import type { JourneyList } from './lists.svelte';
import { counts } from './stages';

/** The journeys, as the core last told them. */
export class Ingest extends Attempt implements JourneyList {
  constructor(readonly backend: WorkspaceBackend) {
    super();
  }

  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- ten thousand signals cost more than one version
  readonly #all = new Map<string, Journey>();
  #version = $state(0);
  /** What is told while the list is read. */
  #late: Journey[] | null = null;
  /** While the list is read. */
  #reading: Promise<void> | null = null;
  /** It is to be read once more: something was lost while it was read. */
  #again = false;
  /** What all sending waits for a sign-in with. */
  signIn = $state<Error | null>(null);
  /** That it will end soon. */
  signInEnds = $state<Error | null>(null);
  #heardOfSignIn = 0;
  /** What the list is searched for. */
  wanted = $state('');
  limits = $state<Limits>({ usual: null, hours: null });
  /** How the batches ended that nobody has dismissed yet, the newest first. */
  summaries = $state<BatchSummary[]>([]);
  /** The row that was asked for. */
  sought = $state<string | null>(null);
  /** Unfinished uploads that no journey will finish; none before they were looked for. */
  orphans = $state<Orphan[] | null>(null);
  /** Newest first. */
  journeys = $derived.by(() => {
    void this.#version;
    // They come in the order of their positions, and the map keeps it.
    return [...this.#all.values()].reverse();
  });
  counts = $derived(counts(this.journeys));
  /** Those that are searched for. */
  found = $derived.by(() => this.matching(this.wanted));
  readonly parts: Ingest[] = [this];

  async load(): Promise<void> {
    const heard = this.#heardOfSignIn;
    const [limits, need] = await Promise.all([this.backend.limits(), this.backend.signInNeed()]);
    this.limits = limits;
    // What was told meanwhile is newer.
    if (heard === this.#heardOfSignIn) [this.signIn, this.signInEnds] = [need.now, need.soon];
    this.#again = true;
    // Whoever asks while it is read waits for the same reading.
    this.#reading ??= this.#readAll();
    await this.#reading;
  }

  async #readAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#loadJourneys();
      }
    } finally {
      this.#late = null;
      this.#reading = null;
    }
  }

  /** Page by page, so that no frame waits for ten thousand rows to be read. */
  async #loadJourneys(): Promise<void> {
    const all: Journey[] = [];
    const late: Journey[] = [];
    this.#late = late;
    for (;;) {
      const page = await this.backend.journeys(all.at(-1)?.position ?? 0);
      if (page.length === 0) break;
      all.push(...page);
    }
    this.#late = null;
    this.#all.clear();
    // What was told meanwhile is newer than the pages.
    this.put([...all, ...late]);
  }

  /** Those with this in their title or path. */
  matching(text: string): Journey[] {
    const wanted = text.trim().toLocaleLowerCase();
    return wanted === '' ? this.journeys : this.journeys.filter((one) => `${one.title} ${one.path}`.toLocaleLowerCase().includes(wanted));
  }

  of(): Ingest {
    return this;
  }

  /** One of them. */
  find(id: string): Journey | undefined {
    void this.#version;
    return this.#all.get(id);
  }

  /** What someone has to sign in for has changed. */
  hearOfSignIn(need: { now: Error | null } | { soon: Error | null }): void {
    this.#heardOfSignIn += 1;
    if ('now' in need) this.signIn = need.now;
    else this.signInEnds = need.soon;
  }

  ended(summary: BatchSummary): void {
    this.summaries = [summary, ...this.summaries.filter((one) => one.batch !== summary.batch)];
  }

  readonly dismissSummaries = () => {
    this.summaries = [];
  };

  put(journeys: Journey[]): void {
    this.#late?.push(...journeys);
    for (const journey of journeys) this.#all.set(journey.id, journey);
    this.#version += 1;
  }

  /** Adds what was dropped. */
  readonly add = (drop: number) => this.attempt(() => this.backend.addDropped(drop));
  readonly chooseFiles = () => this.attempt(() => this.backend.chooseVideos());
  readonly chooseFolders = () => this.attempt(() => this.backend.chooseVideoFolders());
  readonly steer = (id: string, command: JourneyCommand) => this.attempt(() => this.backend.steer(id, command));
  readonly steerAll = (command: JourneyCommand) => this.attempt(() => this.backend.steerAll(command));
  readonly clear = () => this.attempt(() => this.backend.clearJourneys());
  readonly setLimits = (limits: Limits) => this.attempt(async () => {
    await this.backend.setLimits(limits);
    this.limits = limits;
  });
  readonly answer = (id: string, answer: Resolution, remaining: boolean) => this.attempt(() => this.backend.answer(id, answer, remaining));
  readonly reveal = (id: string) => this.attempt(() => this.backend.reveal(id));
  readonly loadOrphans = () => this.attempt(async () => {
    this.orphans = await this.backend.orphans();
  });
  readonly removeOrphan = (orphan: Orphan) => this.attempt(async () => {
    await this.backend.removeOrphan(orphan);
    this.orphans = await this.backend.orphans();
  });
  readonly dismiss = (id: string) => this.attempt(() => this.backend.dismissJourney(id));

}
