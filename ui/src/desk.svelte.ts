import * as backend from './backend';
import type { Error, Event, Guid, SignIn, Workspace } from './bindings';
import { Attempt } from './shared/attempt.svelte';
import { Ingest } from './ingest/ingest.svelte';
import { continued } from './ingest/stages';
import { Jobs } from './jobs/jobs.svelte';
import { Library } from './library/library.svelte';
import { Viewers } from './viewers/viewers.svelte';
import { Watch } from './watch/watch.svelte';
import { Connect } from './workspace/connect.svelte';

export const SCREENS = ['library', 'ingest', 'jobs', 'watch', 'viewers', 'workspace'] as const;
export type ScreenName = (typeof SCREENS)[number];

/** What may be a list of people. */
const LISTS = /\.(csv|tsv|txt)$/i;

/** What the window shows: the open workspace, the screen, the open video. */
export class Desk extends Attempt {
  // Each workspace has its own.
  ingest = $state.raw(new Ingest());
  library = $state.raw(new Library());
  jobs = $state.raw(new Jobs());
  watch = $state.raw(new Watch());
  viewers = $state.raw(new Viewers());
  workspace = $state<Workspace | null>(null);
  /** All but the sandbox. */
  workspaces = $state<Workspace[]>([]);
  /** A workspace that cannot be opened before someone signs in, and how. */
  closed = $state<{ workspace: Workspace; signIn: SignIn } | null>(null);
  /** The way to a new workspace, while someone goes it. */
  way = $state.raw<Connect | null>(null);
  screen = $state<ScreenName>('library');
  opened = $state<{ guid: Guid; autoplay: boolean } | null>(null);
  dragging = $state(false);
  ffmpeg = $state<Error | null>(null);
  unreachable = $state<Error | null>(null);
  /** Files in hand while the window is being closed; none while it is not. */
  quitting = $state<number | null>(null);
  toast = $state<string | null>(null);

  constructor() {
    super();
    // Until it has started.
    this.busy = true;
  }

  async start(): Promise<void> {
    await backend.onEvents((events) => this.#hear(events));
    await backend.onDrag((drag) => {
      this.dragging = drag.kind === 'over' && this.workspace !== null;
      if (drag.kind === 'drop' && this.workspace !== null) void this.drop(drag.drop, drag.names);
    });
    await backend.onQuitAsked((inHand) => {
      this.quitting = inHand;
    });
    await backend.onShowJourney(this.showJourney);
    await this.attempt(async () => {
      const boot = await backend.boot();
      this.ffmpeg = boot.ffmpeg;
      if (boot.trouble !== null) throw boot.trouble;
      this.workspaces = await backend.workspaces();
      if (boot.workspace !== null) await this.#open(boot.workspace);
    });
  }

  readonly openWorkspace = (name: string) => this.attempt(() => this.#open(name));
  /** Keeps the workspace that someone made, or mended, and opens it. */
  readonly connect = (workspace: Workspace) =>
    this.attempt(async () => {
      const isNew = this.way?.isNew ?? true;
      try {
        await this.#show(() => backend.connect(workspace, isNew));
        this.screen = 'workspace';
      } catch (thrown) {
        this.workspaces = await backend.workspaces();
        await this.#cannotOpen(workspace.name, thrown);
      }
    });
  /** Keeps what was changed of the open workspace; answers whether it could be. */
  readonly save = async (workspace: Workspace) => {
    await this.attempt(() => this.#show(() => backend.connect(workspace, false)));
    return this.error === null;
  };
  readonly remove = () =>
    this.attempt(async () => {
      if (this.workspace === null) return;
      await backend.removeWorkspace(this.workspace.name);
      this.workspaces = await backend.workspaces();
      this.leave();
    });
  /** Begins the way to a new workspace. */
  readonly add = () => {
    this.leave();
    this.way = new Connect(this.workspaces);
  };
  /** A workspace from a file. */
  readonly addFromFile = () =>
    this.attempt(async () => {
      const workspace = await backend.importWorkspace();
      if (workspace === null) return;
      this.add();
      this.way?.take(workspace);
    });
  readonly leave = () => {
    this.workspace = null;
    this.opened = null;
    this.closed = null;
    this.way = null;
    this.error = null;
    this.screen = 'library';
  };
  /** Leaves the way to a new workspace, and nothing of it behind. */
  readonly abandon = () => {
    void this.way?.forget();
    this.leave();
  };
  /** Someone signed in to the open workspace: all that waits goes on. */
  readonly signedIn = () =>
    this.attempt(async () => {
      const open = this.workspace;
      if (open === null) return;
      await this.#show(async () => {
        await backend.signedIn();
        return open;
      });
    });
  readonly go = (screen: ScreenName) => {
    this.screen = screen;
    if (screen !== 'library') this.opened = null;
  };
  readonly open = (guid: Guid, autoplay = false) => {
    this.screen = 'library';
    this.opened = { guid, autoplay };
  };
  readonly close = () => {
    this.opened = null;
  };

  /** Files are sent; folders too, except where folders are watched. Among viewers a table or text is a list of people. */
  async drop(drop: number, names: string[]): Promise<void> {
    if (this.screen === 'watch' && (await this.watch.drop(drop))) return;
    if (this.screen === 'viewers' && names.every((name) => LISTS.test(name))) {
      this.viewers.drop(drop);
      return;
    }
    this.go('ingest');
    await this.ingest.add(drop);
  }

  /** Shows a row of Ingest. */
  readonly showJourney = (id: string) => {
    this.go('ingest');
    this.ingest.sought = id;
  };

  async #open(name: string): Promise<void> {
    const waiting = this.ingest.counts.sending;
    const before = this.workspace?.name;
    try {
      await this.#show(() => backend.openWorkspace(name));
      if (before !== undefined && before !== name && waiting > 0) this.say(`${waiting === 1 ? '1 file' : `${waiting} files`} of "${before}" wait until you open it again`);
    } catch (thrown) {
      await this.#cannotOpen(name, thrown);
    }
  }

  /** Leads to what can be done about a workspace that does not open. */
  async #cannotOpen(name: string, thrown: unknown): Promise<never> {
    const { code } = backend.asError(thrown);
    const workspace = this.workspaces.find((one) => one.name === name);
    // One that could not be kept stays in its form.
    if (workspace === undefined || code === 'exists') throw thrown;
    // The one before is closed by now.
    this.leave();
    if (code === 'sign-in') this.closed = { workspace, signIn: await backend.signInOf(workspace) };
    else {
      this.way = new Connect(this.workspaces.filter((other) => other.name !== name));
      this.way.mend(workspace);
    }
    throw thrown;
  }

  async #show(open: () => Promise<Workspace>): Promise<void> {
    // Before it is opened: its first events come while it is.
    [this.ingest, this.library, this.jobs, this.watch, this.viewers] = [new Ingest(), new Library(), new Jobs(), new Watch(), new Viewers()];
    this.unreachable = null;
    const workspace = await open();
    this.workspaces = await backend.workspaces();
    this.opened = null;
    this.closed = null;
    this.way = null;
    this.workspace = workspace;
    await Promise.all([this.ingest.load(), this.library.load(), this.jobs.load(), this.watch.load()]);
    const toast = continued(this.ingest.journeys);
    if (toast !== null) this.say(toast);
  }

  /** Says something in passing, for as long as it takes to read it. */
  say(text: string): void {
    this.toast = text;
    setTimeout(() => {
      if (this.toast === text) this.toast = null;
    }, 12_000);
  }

  #hear(events: Event[]): void {
    this.ingest.put(events.flatMap((event) => (event.kind === 'journey' ? [event.journey] : [])));
    for (const event of events) {
      switch (event.kind) {
        case 'journey':
          break;
        case 'batchEnded':
          this.ingest.ended(event.summary);
          break;
        case 'library':
          this.unreachable = null;
          this.library.show(event.videos, event.readAt);
          break;
        case 'jobs':
          this.unreachable = null;
          this.jobs.show(event.jobs, event.readAt);
          break;
        case 'watch':
          this.watch.folders = event.folders;
          break;
        case 'viewers':
          this.viewers.hear(event.reading);
          break;
        case 'away':
          // Its row says so.
          break;
        case 'runEnded':
          // A notice of the system tells those who look elsewhere.
          break;
        case 'unreachable':
          this.unreachable = event.error;
          break;
        case 'signIn':
          this.ingest.signIn = event.error;
          break;
        case 'signInEnds':
          this.ingest.signInEnds = event.error;
          break;
        case 'resync':
          void this.ingest.load();
          void this.library.load();
          void this.jobs.load();
          void this.watch.load();
          this.viewers.hear(this.viewers.reading);
          break;
      }
    }
  }

}
