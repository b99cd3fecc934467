import type { WorkspaceBackend } from '../backend';
import type { ViewerAction, Census, LogEntry, Person, PoolFacts, Query, Reading, Selection, Viewer } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';
import { Rows } from '../shared/rows.svelte';
import { Selection as Chosen } from '../shared/selection.svelte';
import { Inviting } from './inviting.svelte';
import { Runs } from './runs.svelte';
import { ViewerSession } from './session.svelte';
import { actWords, addressOf } from './states';

/** How old the copy of the pool may be before it is read again when someone looks, in milliseconds. */
const FRESH_MS = 60_000;
/** Lines of the log that come at once. */
const LINES = 200;
/** How soon a change is shown, so that many are shown at once. */
const SOON_MS = 200;

export const TABS = ['people', 'groups', 'pool', 'log', 'mailbox', 'session'] as const;
export type Tab = (typeof TABS)[number];

/** The viewers: the copy of the pool, what is looked for in it, and what is done with whom. */
export class Viewers extends Attempt {
  readonly rows: Rows<Query, Viewer>;
  readonly runs: Runs;
  readonly session: ViewerSession;
  tab = $state<Tab>('people');
  inviting = $state.raw<Inviting | null>(null);
  census = $state.raw<Census | null>(null);
  facts = $state.raw<PoolFacts | null>(null);
  reading = $state.raw<Reading | null>(null);
  query = $state.raw<Query>({ text: '', state: null, group: null, sort: 'address', descending: false });
  readonly selected: Chosen<Query, Viewer>;
  person = $state.raw<Person | null>(null);
  log = $state.raw<LogEntry[]>([]);
  hasMoreLog = $state(false);
  #isDue = false;

  constructor(readonly backend: WorkspaceBackend) {
    super();
    this.rows = new Rows(async (query, first, most) => {
      const { viewers: rows, total } = await backend.findViewers(query, first, most);
      return { rows, total };
    });
    this.selected = new Chosen(this.rows, (viewer) => viewer.username);
    this.runs = new Runs(backend);
    this.session = new ViewerSession(backend);
  }

  /** Looks at the copy, and reads the pool where the copy is old. */
  async load(): Promise<void> {
    await this.attempt(async () => {
      [this.facts] = await Promise.all([this.backend.poolFacts(), this.#show()]);
    });
    const age = Date.now() - (this.census?.readAt ?? 0);
    if (age > FRESH_MS && this.reading === null) await this.readPool();
  }
  readonly loadFacts = () =>
    this.attempt(async () => {
      this.facts = await this.backend.poolFacts();
    });
  readonly readPool = () =>
    this.attempt(async () => {
      this.facts = await this.backend.poolFacts();
      await this.backend.readViewers();
    });

  /** The copy has changed. */
  hear(reading: Reading | null): void {
    this.reading = reading;
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      void this.#show().catch(() => undefined);
    }, SOON_MS);
  }

  readonly look = (change: Partial<Query>) => {
    this.query = { ...this.query, ...change };
    this.selected.clear();
    void this.attempt(() => this.rows.show(this.query));
  };
  readonly sortBy = (sort: Query['sort']) => this.look({ sort, descending: this.query.sort === sort ? !this.query.descending : sort !== 'address' });

  /** Does something with those that are chosen. */
  readonly act = async (act: ViewerAction) => {
    const { count } = this.selected;
    const selection: Selection = this.selected.hasAll ? { kind: 'matching', query: this.query } : { kind: 'these', usernames: [...this.selected.keys] };
    this.selected.clear();
    await this.runs.act(selection, count, act, actWords(act, count === 1 ? '1 viewer' : `${count} viewers`));
    await this.#lookAtPerson();
  };
  /** Does something with one. */
  readonly actOn = async (viewer: Viewer, act: ViewerAction) => {
    await this.runs.act({ kind: 'these', usernames: [viewer.username] }, 1, act, actWords(act, addressOf(viewer)));
    await this.#lookAtPerson();
  };
  readonly undo = async () => {
    await this.runs.undo();
    await this.#lookAtPerson();
  };
  readonly undoRun = async (run: string) => {
    await this.runs.undoOf(run);
    await this.#lookAtPerson();
  };

  readonly open = (username: string) =>
    this.attempt(async () => {
      this.person = await this.backend.person(username);
    });
  readonly close = () => {
    this.person = null;
  };

  readonly loadLog = () => this.attempt(() => this.#showLog());
  readonly moreLog = () =>
    this.attempt(async () => {
      const older = await this.backend.viewerLog(this.log.at(-1)?.id ?? null);
      this.log = [...this.log, ...older];
      this.hasMoreLog = older.length === LINES;
    });
  readonly exportLog = () => this.attempt(() => this.backend.exportViewerLog());
  readonly export = () => this.attempt(() => this.backend.exportViewers(this.query));
  readonly forget = () =>
    this.attempt(async () => {
      await this.backend.forgetViewers();
      this.person = null;
      await Promise.all([this.#show(), this.#showLog()]);
    });

  readonly createGroup = (name: string, description: string) => this.attempt(() => this.backend.createGroup(name, description === '' ? null : description));
  readonly deleteGroup = (name: string) => this.attempt(() => this.backend.deleteGroup(name));

  readonly begin = () => {
    this.inviting = new Inviting(this.backend);
  };
  readonly end = () => {
    // Temporary passwords are shown once.
    this.inviting = null;
  };
  /** Lists of people were dropped. */
  drop(drop: number): void {
    this.tab = 'people';
    if (this.inviting === null || this.inviting.hasBegun) this.begin();
    void this.inviting?.take(drop);
  }
  readonly signInAs = (viewer: Viewer) => {
    this.tab = 'session';
    void this.session.begin(addressOf(viewer));
  };

  async #lookAtPerson(): Promise<void> {
    const open = this.person?.viewer.username;
    if (open === undefined) return;
    // One that was removed is gone from beside the list too.
    this.person = await this.backend.person(open).catch(() => null);
  }

  async #showLog(): Promise<void> {
    this.log = await this.backend.viewerLog(null);
    this.hasMoreLog = this.log.length === LINES;
  }

  async #show(): Promise<void> {
    [this.census] = await Promise.all([this.backend.census(), this.rows.show(this.query)]);
  }
}
