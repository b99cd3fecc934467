import * as backend from './backend';
import type { Error, Event, Guid, Workspace } from './bindings';
import { Ingest } from './ingest/ingest.svelte';
import { continued } from './ingest/stages';
import { Jobs } from './jobs/jobs.svelte';
import { Library } from './library/library.svelte';

export const SCREENS = ['library', 'ingest', 'jobs', 'watch', 'viewers', 'workspace'] as const;
export type ScreenName = (typeof SCREENS)[number];

/** What the window shows: the open workspace, the screen, the open video. */
export class Desk {
  readonly ingest = new Ingest();
  readonly library = new Library();
  readonly jobs = new Jobs();
  workspace = $state<Workspace | null>(null);
  screen = $state<ScreenName>('library');
  opened = $state<{ guid: Guid; autoplay: boolean } | null>(null);
  dragging = $state(false);
  busy = $state(true);
  profiles = $state<string[]>([]);
  ffmpeg = $state<Error | null>(null);
  error = $state<Error | null>(null);
  unreachable = $state<Error | null>(null);
  /** Files in hand while the window is being closed; none while it is not. */
  quitting = $state<number | null>(null);
  toast = $state<string | null>(null);

  async start(): Promise<void> {
    await backend.onEvents((events) => this.#hear(events));
    await backend.onDrag((drag) => {
      this.dragging = drag.kind === 'over' && this.workspace !== null;
      if (drag.kind === 'drop' && this.workspace !== null) this.drop(drag.paths);
    });
    await backend.onQuitAsked((inHand) => {
      this.quitting = inHand;
    });
    await backend.onShowJourney((id) => {
      this.go('ingest');
      this.ingest.sought = id;
    });
    await this.#try(async () => {
      const boot = await backend.boot();
      this.profiles = boot.profiles;
      this.ffmpeg = boot.ffmpeg;
      if (boot.workspace !== null) await this.#show(await backend.openWorkspace(boot.workspace));
    });
  }

  readonly openSandbox = () => this.#try(async () => this.#show(await backend.openWorkspace('sandbox')));
  readonly connect = (workspace: Workspace) => this.#try(async () => this.#show(await backend.connect(workspace)));
  readonly leave = () => {
    this.workspace = null;
    this.opened = null;
    this.screen = 'library';
  };
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

  drop(paths: string[]): void {
    this.go('ingest');
    void this.ingest.add(paths);
  }

  async #show(workspace: Workspace): Promise<void> {
    this.workspace = workspace;
    await Promise.all([this.ingest.load(), this.library.load(), this.jobs.load()]);
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
        case 'unreachable':
          this.unreachable = event.error;
          break;
        case 'signIn':
          this.ingest.signIn = event.error;
          break;
        case 'resync':
          void this.ingest.load();
          void this.library.load();
          void this.jobs.load();
          break;
      }
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.error = null;
    this.busy = true;
    try {
      await work();
    } catch (thrown) {
      this.error = backend.asError(thrown);
    } finally {
      this.busy = false;
    }
  }
}
