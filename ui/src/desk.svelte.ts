import * as backend from './backend';
import type { Error, SignIn, Workspace } from './bindings';
import { continued } from './ingest/stages';
import { Room } from './room.svelte';
import { Router } from './router.svelte';
import { Attempt } from './shared/attempt.svelte';
import { Connect } from './workspace/connect.svelte';

/** What may be a list of people. */
const LISTS = /\.(csv|tsv|txt)$/i;

/** What the window shows: the open workspace and its room, or the way to one. */
export class Desk extends Attempt {
  readonly router = new Router();
  /** Of the open workspace. */
  room = $state.raw(new Room());
  workspace = $state<Workspace | null>(null);
  /** All but the sandbox. */
  workspaces = $state<Workspace[]>([]);
  /** A workspace that cannot be opened before someone signs in, and how. */
  closed = $state<{ workspace: Workspace; signIn: SignIn } | null>(null);
  /** The way to a new workspace, while someone goes it. */
  way = $state.raw<Connect | null>(null);
  dragging = $state(false);
  hasSandbox = $state(true);
  ffmpeg = $state<Error | null>(null);
  /** Files in hand while the window is being closed; none while it is not. */
  quitting = $state<number | null>(null);
  toast = $state<string | null>(null);

  constructor() {
    super();
    // Until it has started.
    this.busy = true;
  }

  async start(): Promise<void> {
    await backend.onEvents((events) => this.room.hear(events));
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
      [this.hasSandbox, this.ffmpeg] = [boot.hasSandbox, boot.ffmpeg];
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
        this.router.go('workspace');
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
    this.closed = null;
    this.way = null;
    this.error = null;
    this.router.home();
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

  /** Files are sent; folders too, except where folders are watched. Among viewers a table or text is a list of people. */
  async drop(drop: number, names: string[]): Promise<void> {
    if (this.router.screen === 'watch' && (await this.room.watch.drop(drop))) return;
    if (this.router.screen === 'viewers' && names.every((name) => LISTS.test(name))) {
      this.room.viewers.drop(drop);
      return;
    }
    this.router.go('ingest');
    await this.room.ingest.add(drop);
  }

  /** Shows a row of Ingest. */
  readonly showJourney = (id: string) => {
    this.router.go('ingest');
    this.room.ingest.sought = id;
  };

  async #open(name: string): Promise<void> {
    const waiting = this.room.ingest.counts.sending;
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
    const room = (this.room = new Room());
    const workspace = await open();
    this.workspaces = await backend.workspaces();
    this.router.close();
    this.closed = null;
    this.way = null;
    this.workspace = workspace;
    await room.load();
    const toast = continued(room.ingest.journeys);
    if (toast !== null) this.say(toast);
  }

  /** Says something in passing, for as long as it takes to read it. */
  say(text: string): void {
    this.toast = text;
    setTimeout(() => {
      if (this.toast === text) this.toast = null;
    }, 12_000);
  }
}
