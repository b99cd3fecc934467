import { SvelteMap } from 'svelte/reactivity';

import * as backend from './backend';
import type { AtWork, Code, Error, SignIn, Workspace } from './bindings';
import { SeveralLists } from './ingest/lists.svelte';
import { continued } from './ingest/stages';
import { Room } from './room.svelte';
import { Router } from './router.svelte';
import { Attempt } from './shared/attempt.svelte';
import { Connect } from './workspace/connect.svelte';
import type { Doing } from './workspace/doing';

/** What may be a list of people. */
const LISTS = /\.(csv|tsv|txt)$/i;

/** Why a workspace does not open, where nothing is to be changed of it. */
const TOLD_ONLY = new Set<Code>(['exists', 'in-use', 'network', 'throttled', 'storage-full']);

/** What the window shows: a workspace and its room, or the way to one; and what the other workspaces are at. */
export class Desk extends Attempt {
  readonly router = new Router();
  /** Of each workspace at work, by its name. */
  readonly #rooms = new SvelteMap<string, Room>();
  /** Counts what was asked to be shown: the last one is. */
  #asked = 0;
  /** Those that have work and could not be opened, and why. */
  #failed = $state.raw<Record<string, Error>>({});
  /** Of the workspace that is shown. */
  room = $state.raw(new Room(''));
  workspace = $state<Workspace | null>(null);
  /** All but the sandbox. */
  workspaces = $state<Workspace[]>([]);
  /** Lists of files are those of all workspaces. */
  everywhere = $state(false);
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

  /** All rooms, that of the window first. */
  readonly rooms = $derived.by(() => [this.room, ...[...this.#rooms.values()].filter((room) => room !== this.room)]);
  readonly #all = new SeveralLists(
    () => this.rooms.map((room) => room.ingest),
    () => this.room.ingest,
  );
  /** The files that are listed. */
  readonly list = $derived.by(() => (this.everywhere && this.rooms.length > 1 ? this.#all : this.room.ingest));

  constructor() {
    super();
    // Until it has started.
    this.busy = true;
  }

  async start(): Promise<void> {
    await backend.onEvents((workspace, events) => this.#rooms.get(workspace)?.hear(events));
    await backend.onAtWork((atWork) => this.#see(atWork));
    await backend.onDrag((drag) => {
      this.dragging = drag.kind === 'over' && this.workspace !== null;
      if (drag.kind === 'drop' && this.workspace !== null) void this.drop(drag.drop, drag.names);
    });
    await backend.onQuitAsked((inHand) => {
      this.quitting = inHand;
    });
    await backend.onShow((workspace, journey) => void this.show(workspace, journey));
    await this.attempt(async () => {
      const boot = await backend.boot();
      [this.hasSandbox, this.ffmpeg] = [boot.hasSandbox, boot.ffmpeg];
      if (boot.trouble !== null) throw boot.trouble;
      this.workspaces = await backend.workspaces();
      this.#see(await backend.atWork());
      if (boot.workspace !== null) await this.#open(boot.workspace);
    });
  }

  /** What a workspace is at, in a word or two; null where it rests. */
  doing(name: string): Doing | null {
    if (this.#failed[name]) return { text: 'cannot be opened', isUrgent: true };
    return this.#rooms.get(name)?.doing ?? null;
  }

  readonly openWorkspace = (name: string) => this.attempt(() => this.#open(name));
  /** Keeps the workspace that someone made, or mended, and opens it. */
  readonly connect = (workspace: Workspace) =>
    this.attempt(async () => {
      const isNew = this.way?.isNew ?? true;
      try {
        await this.#anew(workspace.name, () => backend.connect(workspace, isNew));
        this.router.go('workspace');
      } catch (thrown) {
        this.workspaces = await backend.workspaces();
        await this.#cannotOpen(workspace.name, thrown);
      }
    });
  /** Keeps what was changed of the open workspace; answers whether it could be. */
  readonly save = async (workspace: Workspace) => {
    await this.attempt(() => this.#anew(workspace.name, () => backend.connect(workspace, false)));
    return this.error === null;
  };
  readonly remove = () =>
    this.attempt(async () => {
      if (this.workspace === null) return;
      const { name } = this.workspace;
      const { unfinished, mayArrive } = await backend.removeWorkspace(name);
      this.#rooms.delete(name);
      this.workspaces = await backend.workspaces();
      this.leave();
      if (unfinished > 0) this.say(`S3 still has ${unfinished === 1 ? '1 unfinished upload' : `${unfinished} unfinished uploads`} of "${name}" that could not be deleted`);
      else if (mayArrive > 0) this.say(`All of ${mayArrive === 1 ? '1 file' : `${mayArrive} files`} of "${name}" had been sent: the videos may still appear`);
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
  /** Someone signed in to a workspace: all of it that waits goes on, also where another one is shown by now. */
  readonly signedIn = (signedIn: Workspace) =>
    this.attempt(async () => {
      const open = async () => {
        await backend.signedIn(signedIn.name);
        return signedIn;
      };
      if (this.workspace?.name === signedIn.name) await this.#anew(signedIn.name, open);
      else {
        await open();
        await this.#rooms.get(signedIn.name)?.loadWork();
      }
    });

  /** Files are sent; folders too, except where folders are watched. Among viewers a table or text is a list of people. */
  async drop(drop: number, names: string[]): Promise<void> {
    // That of the moment of the drop, whatever is shown when the disk has answered.
    const { room } = this;
    if (this.router.screen === 'watch' && (await room.watch.drop(drop))) return;
    if (this.router.screen === 'viewers' && names.every((name) => LISTS.test(name))) {
      room.viewers.drop(drop);
      return;
    }
    if (room === this.room) this.router.go('ingest');
    await room.ingest.add(drop);
  }

  /** Shows a workspace, and a row of its Ingest. */
  async show(workspace: string, journey: string | null): Promise<void> {
    if (workspace !== this.workspace?.name) await this.openWorkspace(workspace);
    if (workspace !== this.workspace?.name || journey === null) return;
    this.router.go('ingest');
    this.room.ingest.sought = journey;
  }

  /** Plays a video of a workspace. */
  async play(guid: string, workspace: string): Promise<void> {
    if (workspace !== this.workspace?.name) await this.openWorkspace(workspace);
    if (workspace === this.workspace?.name) this.router.open(guid, true);
  }

  /** Those that are at work have a room, whichever is shown. */
  #see(atWork: AtWork): void {
    this.#failed = atWork.failed;
    for (const name of atWork.open) {
      let room = this.#rooms.get(name);
      if (room === undefined) {
        room = new Room(name);
        this.#rooms.set(name, room);
        void room.loadWork().catch(() => undefined);
      }
      room.wasOpen = true;
    }
    for (const [name, room] of this.#rooms) {
      const isLeft = room.wasOpen && room !== this.room && !room.isOpening;
      if (isLeft && !atWork.open.includes(name)) this.#rooms.delete(name);
    }
  }

  async #open(name: string): Promise<void> {
    try {
      await this.#show(this.#rooms.get(name) ?? new Room(name), () => backend.openWorkspace(name));
    } catch (thrown) {
      await this.#cannotOpen(name, thrown);
    }
  }

  /** Opens a workspace once more: what was known of it is read again. */
  #anew(name: string, open: () => Promise<Workspace>): Promise<void> {
    return this.#show(new Room(name.trim()), open);
  }

  /** Leads to what can be done about a workspace that does not open. */
  async #cannotOpen(name: string, thrown: unknown): Promise<never> {
    const { code } = backend.asError(thrown);
    const workspace = this.workspaces.find((one) => one.name === name);
    // One that could not be kept stays in its form; what passes by itself, or is no matter of the workspace, is only told.
    if (workspace === undefined || TOLD_ONLY.has(code)) throw thrown;
    this.leave();
    if (code === 'sign-in') this.closed = { workspace, signIn: await backend.signInOf(workspace) };
    else {
      this.way = new Connect(this.workspaces.filter((other) => other.name !== name));
      this.way.mend(workspace);
    }
    throw thrown;
  }

  async #show(room: Room, open: () => Promise<Workspace>): Promise<void> {
    const before = this.#rooms.get(room.name);
    const asked = ++this.#asked;
    // Before it is opened: its first events come while it is.
    this.#rooms.set(room.name, room);
    room.isOpening = true;
    let workspace: Workspace;
    try {
      workspace = await open();
    } catch (thrown) {
      if (before === undefined) this.#rooms.delete(room.name);
      else this.#rooms.set(room.name, before);
      throw thrown;
    } finally {
      room.isOpening = false;
    }
    this.workspaces = await backend.workspaces();
    // Another one was chosen while this one was opened.
    if (asked !== this.#asked) return;
    this.router.close();
    this.closed = null;
    this.way = null;
    [this.room, this.workspace] = [room, workspace];
    if (before === room && room.wasShown) return;
    await room.load();
    // Not of one that has been at work beside others for a while.
    const isFirst = before === undefined || asked === 1;
    const toast = isFirst ? continued(room.ingest.journeys) : null;
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
