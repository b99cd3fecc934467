import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Error, Job, JobCounts, JobQuery } from '../bindings';
import { Rows } from '../shared/rows.svelte';
import { nameOf } from './states';

/** How soon a change is shown, so that many are shown at once. */
const SOON_MS = 200;

/** The MediaConvert jobs as this computer knows them: what is looked for in them, and the rows in sight. */
export class Jobs {
  readonly rows: Rows<JobQuery, Job>;
  query = $state.raw<JobQuery>({ text: '', states: [], queue: null, from: null, until: null });
  counts = $state.raw<JobCounts | null>(null);
  error = $state.raw<Error | null>(null);
  /** Why the last one could not be canceled. */
  cancelError = $state.raw<Error | null>(null);
  isNarrowed = $derived.by(() => this.query.text.trim() !== '' || this.query.states.length > 0 || this.query.queue !== null);
  /** Newer jobs than those in the list, which wait until someone wants to see them. */
  newer = $state(0);
  /** Someone points at the list or stands in it: nothing may move there. */
  isWatched = false;
  /** The titles of their videos. */
  readonly #titles = new SvelteMap<string, string>();
  /** The newest of the list was submitted before this time. */
  #until: number | null = null;
  /** What the rows are of, without that time. */
  #shown: JobQuery | null = null;
  /** The job beside the list. */
  #opened = $state.raw<Job | null>(null);
  opened = $derived.by(() => this.rows.known.find((job) => job.id === this.#opened?.id) ?? this.#opened);
  #isDue = false;

  constructor(readonly backend: backend.WorkspaceBackend) {
    this.rows = new Rows(async (query, first, most) => {
      const { jobs: rows, titles } = await backend.findJobs(query, first, most);
      for (const [guid, title] of Object.entries(titles)) this.#titles.set(guid, title);
      return { rows };
    });
  }

  /** Shows what the copy has. */
  load(): Promise<void> {
    this.#until = null;
    return this.#attempt();
  }

  /** The title of its video; the name of its source where nobody knows it. */
  readonly titleOf = (job: Job) => (job.guid === null ? undefined : this.#titles.get(job.guid)) ?? nameOf(job);

  async #attempt(): Promise<void> {
    try {
      if (!this.isWatched) this.#until = null;
      await this.#show();
      this.error = null;
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  }

  /** The copy was compared with MediaConvert, or has changed. */
  hear(readAt: number): void {
    if (this.counts !== null) this.counts = { ...this.counts, readAt };
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      void this.#attempt();
    }, SOON_MS);
  }

  readonly look = (change: Partial<JobQuery>) => {
    this.query = { ...this.query, ...change };
    void this.load();
  };
  readonly open = (job: Job) => {
    this.#opened = job;
  };
  readonly close = () => {
    this.#opened = null;
    this.cancelError = null;
  };
  readonly cancel = async (id: string) => {
    this.cancelError = null;
    try {
      await this.backend.cancelJob(id);
    } catch (thrown) {
      this.cancelError = backend.asError(thrown);
    }
  };

  /** Shows the newer ones, too. */
  readonly showNewer = () => this.look({});

  /** What is listed, as it is now; what is newer waits where someone looks at the list. */
  async #show(): Promise<void> {
    const asked = this.query;
    const until = this.#until;
    const listed = { ...asked, until };
    const isSame = this.#shown === asked;
    if (!(await this.rows.show(listed, isSame, isSame))) return;
    this.#shown = asked;
    if (until === null) this.#until = this.#newest();
    const [counts, newer] = await Promise.all([this.backend.countJobs(listed), until === null ? null : this.backend.countJobs({ ...asked, from: until })]);
    if (asked !== this.query || this.rows.of !== listed) return;
    this.counts = counts;
    this.rows.total = counts.found;
    this.newer = newer?.found ?? 0;
    await this.#renewOpened();
  }

  /** The opened one, where it is in the list no longer. */
  async #renewOpened(): Promise<void> {
    const opened = this.#opened;
    if (opened === null || this.rows.known.some((job) => job.id === opened.id)) return;
    const all: JobQuery = { text: opened.id, states: [], queue: null, from: null, until: null };
    const [now] = (await this.backend.findJobs(all, 0, 1)).jobs;
    if (now?.id === opened.id && this.#opened?.id === opened.id) this.#opened = now;
  }

  /** The first full second behind the newest of the list. */
  #newest(): number | null {
    const submitted = this.rows.at(0)?.submittedAt ?? null;
    return submitted === null ? null : (Math.floor(submitted / 1000) + 1) * 1000;
  }
}
