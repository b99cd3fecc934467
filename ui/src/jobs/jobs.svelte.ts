import * as backend from '../backend';
import type { Error, Job, JobCounts, JobQuery } from '../bindings';
import { Rows } from '../shared/rows.svelte';

/** How soon a change is shown, so that many are shown at once. */
const SOON_MS = 200;

/** The MediaConvert jobs as this computer knows them: what is looked for in them, and the rows in sight. */
export class Jobs {
  readonly rows: Rows<JobQuery, Job>;
  query = $state.raw<JobQuery>({ text: '', states: [], queue: null, from: null, until: null });
  counts = $state.raw<JobCounts | null>(null);
  error = $state.raw<Error | null>(null);
  isNarrowed = $derived.by(() => this.query.text.trim() !== '' || this.query.states.length > 0 || this.query.queue !== null);
  /** The job beside the list. */
  #opened = $state.raw<Job | null>(null);
  opened = $derived.by(() => this.rows.known.find((job) => job.id === this.#opened?.id) ?? this.#opened);
  #isDue = false;

  constructor(readonly backend: backend.WorkspaceBackend) {
    this.rows = new Rows(async (query, first, most) => ({ rows: (await backend.findJobs(query, first, most)).jobs }));
  }

  async load(): Promise<void> {
    try {
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
      void this.load();
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
  };
  readonly cancel = async (id: string) => {
    try {
      await this.backend.cancelJob(id);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };

  async #show(): Promise<void> {
    const query = this.query;
    await this.rows.show(query);
    const counts = await this.backend.countJobs(query);
    if (query === this.query) {
      this.counts = counts;
      this.rows.total = counts.found;
    }
  }
}
