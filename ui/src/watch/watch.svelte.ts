import * as backend from '../backend';
import type { Error, Habits, Preview, WatchedFolder, WatchFolder } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';

/** The watch folders, as the core last told them, and the rule that is being made. */
export class Watch extends Attempt {
  folders = $state.raw<WatchedFolder[]>([]);
  /** The rule in the form; none while there is no form. */
  draft = $state<WatchFolder | null>(null);
  /** What it would do. */
  preview = $state.raw<Preview | null>(null);
  /** Why it cannot be used as it is. */
  objection = $state.raw<Error | null>(null);
  habits = $state.raw<Habits>({ staysInTray: false });
  startsWithSession = $state(false);
  /** Folders that were dropped together and wait for their forms. */
  #next: WatchFolder[] = [];
  #asked = 0;

  constructor(readonly backend: backend.WorkspaceBackend) {
    super();
  }

  readonly isNew = $derived(this.draft !== null && !this.folders.some((folder) => folder.rule.id === this.draft?.id));

  async load(): Promise<void> {
    this.folders = await this.backend.watchedFolders();
    const { habits, startsWithSession } = await backend.habits();
    [this.habits, this.startsWithSession] = [habits, startsWithSession];
  }

  readonly choose = () => this.attempt(async () => this.begin(await this.backend.chooseWatchFolders()));

  /** Takes the folders of a drop; answers whether that was all there is to do with it. */
  async drop(drop: number): Promise<boolean> {
    let rules: WatchFolder[] = [];
    const wentWell = await this.attempt(async () => {
      rules = await this.backend.watchDropped(drop);
    });
    if (rules.length === 0) return !wentWell;
    this.begin(rules);
    return true;
  }

  /** Opens the form for each of them in turn. */
  begin(rules: WatchFolder[]): void {
    this.#next = [...rules];
    this.#show(this.#next.shift() ?? null);
  }

  readonly edit = (rule: WatchFolder) => {
    this.#next = [];
    this.#show(structuredClone(rule));
  };
  readonly cancel = () => this.#show(this.#next.shift() ?? null);
  readonly save = (rule: WatchFolder) =>
    this.attempt(async () => {
      await this.backend.putWatchFolder(rule);
      this.#show(this.#next.shift() ?? null);
    });
  readonly pause = (rule: WatchFolder, paused: boolean) => this.attempt(() => this.backend.putWatchFolder({ ...rule, paused }));
  readonly accept = (rule: WatchFolder) => this.attempt(() => this.backend.acceptDisk(rule.id));
  readonly remove = (rule: WatchFolder) => this.attempt(() => this.backend.removeWatchFolder(rule.id));
  readonly insist = (rule: WatchFolder, path: string) => this.attempt(() => this.backend.insist(rule.id, path));
  readonly reveal = (rule: WatchFolder, path: string) => this.attempt(() => this.backend.revealWatched(rule.id, path));
  readonly setHabits = (habits: Habits, startsWithSession: boolean) =>
    this.attempt(async () => {
      await backend.setHabits(habits, startsWithSession);
      [this.habits, this.startsWithSession] = [habits, startsWithSession];
    });

  /** Looks at what the rule in the form would do. */
  async look(rule: WatchFolder): Promise<void> {
    const asked = ++this.#asked;
    try {
      const preview = await this.backend.previewWatchFolder(rule);
      if (asked === this.#asked) [this.preview, this.objection] = [preview, null];
    } catch (thrown) {
      if (asked === this.#asked) [this.preview, this.objection] = [null, backend.asError(thrown)];
    }
  }

  #show(rule: WatchFolder | null): void {
    this.draft = rule;
    this.preview = null;
    this.objection = null;
    this.error = null;
  }

}
