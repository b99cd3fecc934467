// The one door to the core: commands, events, dialogs and the drop. No path goes through it:
// Rust opens the dialogs and keeps what was dropped.
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type {
  AccessKey,
  ViewerAction,
  ActionResult,
  Resolution,
  Census,
  Choices,
  Connection,
  CredentialsSource,
  Cursor,
  Error as CoreError,
  Event,
  Comparison,
  Finding,
  Found,
  Guid,
  Habits,
  Identity,
  Invitation,
  Invited,
  Invitee,
  Invitees,
  Job,
  Journey,
  Keep,
  Limits,
  LogEntry,
  Mail,
  Orphan,
  Page,
  Person,
  PoolFacts,
  PoolUser,
  Preview,
  Profiles,
  Query,
  RunSummary,
  Selection,
  SignIn,
  SignInNeed,
  Stack,
  Step,
  Stream,
  Video,
  Watchable,
  WatchedFolder,
  WatchFolder,
  JourneyCommand,
  Workspace,
} from './bindings';

export interface Boot {
  workspace: string | null;
  trouble: CoreError | null;
  hasSandbox: boolean;
  ffmpeg: CoreError | null;
}

/** The workspaces at work. */
export interface AtWork {
  open: string[];
  /** Those that have work and could not be opened, and why. */
  failed: Record<string, CoreError>;
}

export const boot = () => invoke<Boot>('boot');
export const atWork = () => invoke<AtWork>('at_work');
export const openWorkspace = (name: string) => invoke<Workspace>('open_workspace', { name });
export const workspaces = () => invoke<Workspace[]>('workspaces');
export const profiles = () => invoke<Profiles>('profiles');
export const identity = (connection: Connection) => invoke<Identity>('identity', { connection });
export const stacks = (connection: Connection) => invoke<Stack[]>('stacks', { connection });
export const choices = (connection: Connection) => invoke<Choices>('choices', { connection });
/** Throws where the system has no keyring. */
export const keyringWorks = () => invoke<null>('keyring_works');
/** Keeps an access key, in place of what the source holds where it is one. */
export const giveAccessKey = (key: AccessKey, keep: Keep, source: CredentialsSource | null) => invoke<CredentialsSource>('give_access_key', { key, keep, source });
export const forgetCredentials = (source: CredentialsSource) => invoke<null>('forget_credentials', { source });
export const signInOf = (connection: Connection) => invoke<SignIn>('sign_in_of', { connection });
export const giveCode = (connection: Connection, profile: string, code: string) => invoke<null>('give_code', { connection, profile, code });
/** Signs a user of a pool in, in place of who signed in to the connection before where that was one. */
export const givePassword = (user: PoolUser, password: string, keep: Keep, connection: Connection) =>
  invoke<CredentialsSource>('give_password', { user, password, keep, source: connection.credentials, endpoint: connection.endpoint });
/** Opens the browser for a sign-in. */
export const beginSignIn = (profile: string) => invoke<{ url: string; code: string }>('begin_sign_in', { profile });
/** Waits until it was confirmed there. */
export const finishSignIn = () => invoke<null>('finish_sign_in');
/** Connects to a workspace; one that is not new takes the place of the one of its name. */
export const connect = (workspace: Workspace, isNew: boolean) => invoke<Workspace>('connect', { workspace, isNew });
/** What S3 may still have of a workspace that was removed: uploads that could not be aborted, and objects whose last bytes had left. */
export interface Removed {
  unfinished: number;
  mayArrive: number;
}

/** Forgets a workspace. */
export const removeWorkspace = (name: string) => invoke<Removed>('remove_workspace', { name });
export const policyOf = (workspace: Workspace) => invoke<string>('policy_of', { workspace });
/** Asks for the file of a workspace; null when the dialog was closed. */
export const importWorkspace = () => invoke<Workspace | null>('import_workspace');
/** Opens a workspace once more, with fresh credentials. */
export const signedIn = (name: string) => invoke<null>('signed_in', { name });
/** Ends the app: at once, when its work is done, or after asking where there is work. */
export const quit = (how: 'now' | 'when-done' | 'ask') => invoke<null>('quit', { how });
/** What a pasted list of people holds. */
export const readInvitees = (text: string) => invoke<Invitees>('read_invitees', { text });
/** Asks for a list of people: its text, or null when the dialog was closed. */
export const chooseList = () => invoke<string | null>('choose_list');
/** The text of the lists that were dropped. */
export const readDropped = (drop: number) => invoke<string>('read_dropped', { drop });
export const habits = () => invoke<{ habits: Habits; startsWithSession: boolean }>('habits');
export const setHabits = (habits: Habits, startsWithSession: boolean) => invoke<null>('set_habits', { habits, startsWithSession });

/** What is asked of one workspace: the core is told which with each question, so that a switch of the window leads none to another. */
export class WorkspaceBackend {
  readonly workspace: string;

  constructor(workspace: string) {
    this.workspace = workspace;
  }

  #call<T>(command: string, more: Record<string, unknown> = {}): Promise<T> {
    return invoke<T>(command, { workspace: this.workspace, ...more });
  }

  /** Tries everything in it; `hear` gets each finding as it comes. */
  checkWorkspace(hear: (finding: Finding) => void): Promise<Finding[]> {
    const found = new Channel<Finding>();
    found.onmessage = hear;
    return this.#call('check_workspace', { found });
  }
  /** Sends 64 MiB to the source bucket both ways, and removes them. */
  readonly compareTransfer = () => this.#call<Comparison>('compare_transfer');
  readonly stopComparison = () => this.#call<null>('stop_comparison');
  /** Asks where to write its file; answers where it is, or null when the dialog was closed. */
  readonly exportWorkspace = () => this.#call<string | null>('export_workspace');
  readonly diagnostics = () => this.#call<string>('diagnostics');
  /** What someone has to sign in for. */
  readonly signInNeed = () => this.#call<SignInNeed>('sign_in_need');
  /** A page of the journeys, behind a position; an empty one is the end. */
  readonly journeys = (after: number) => this.#call<Journey[]>('journeys', { after });
  /** Asks for videos, and adds them. */
  readonly chooseVideos = () => this.#call<null>('choose_videos');
  /** Asks for folders of videos, and adds them. */
  readonly chooseVideoFolders = () => this.#call<null>('choose_video_folders');
  readonly addDropped = (drop: number) => this.#call<null>('add_dropped', { drop });
  readonly steer = (id: string, command: JourneyCommand) => this.#call<null>('steer', { id, command });
  readonly steerAll = (command: JourneyCommand) => this.#call<null>('steer_all', { command });
  readonly clearJourneys = () => this.#call<null>('clear_journeys');
  readonly answer = (id: string, one: Resolution, remaining: boolean) => this.#call<null>('answer', { id, answer: one, remaining });
  readonly reveal = (id: string) => this.#call<null>('reveal', { id });
  readonly limits = () => this.#call<Limits>('limits');
  readonly setLimits = (all: Limits) => this.#call<null>('set_limits', { limits: all });
  readonly orphans = () => this.#call<Orphan[]>('orphans');
  readonly removeOrphan = (orphan: Orphan) => this.#call<null>('remove_orphan', { orphan });
  readonly dismissJourney = (id: string) => this.#call<null>('dismiss_journey', { id });
  readonly library = (after: Cursor | null) => this.#call<Page>('library', { after });
  readonly video = (guid: Guid) => this.#call<Video>('video', { guid });
  readonly stream = (guid: Guid) => this.#call<Stream>('stream', { guid });
  readonly play = (guid: Guid) => this.#call<string>('play', { guid });
  readonly localUrls = (stored: string[]) => this.#call<(string | null)[]>('local_urls', { stored });
  readonly jobs = () => this.#call<Job[]>('jobs');
  readonly census = () => this.#call<Census>('census');
  /** Some of the viewers that a query asks for, from one on. */
  readonly findViewers = (query: Query, first: number, most: number) => this.#call<Found>('find_viewers', { query, first, most });
  /** Reads all of the pool; what changes is heard as events. */
  readonly readViewers = () => this.#call<null>('read_viewers');
  readonly poolFacts = () => this.#call<PoolFacts>('pool_facts');
  readonly person = (username: string) => this.#call<Person>('person', { username });
  /** Invites people; `hear` gets what became of each as it is done. */
  invite(people: Invitee[], invitation: Invitation, hear: (address: string, invited: Invited) => void): Promise<null> {
    const told = new Channel<{ address: string; invited: Invited }>();
    told.onmessage = ({ address, invited }) => hear(address, invited);
    return this.#call('invite', { people, invitation, told });
  }
  /** Does the same with each of them; `hear` gets what became of each as it is done. */
  actOnViewers(selection: Selection, act: ViewerAction, hear: (acted: ActionResult) => void): Promise<RunSummary> {
    const told = new Channel<ActionResult>();
    told.onmessage = hear;
    return this.#call('act_on_viewers', { selection, act, told });
  }
  /** Undoes what was done at once, where that can be. */
  undoRun(run: string, hear: (acted: ActionResult) => void): Promise<RunSummary> {
    const told = new Channel<ActionResult>();
    told.onmessage = hear;
    return this.#call('undo_run', { run, told });
  }
  readonly stopRun = () => this.#call<null>('stop_run');
  /** The newest lines of the log, before one. */
  readonly viewerLog = (before: number | null) => this.#call<LogEntry[]>('viewer_log', { before });
  /** The newest lines of the log that are about one viewer. */
  readonly historyOf = (username: string) => this.#call<LogEntry[]>('history_of', { username });
  /** Asks where to write the viewers that a query finds, and writes them. */
  readonly exportViewers = (query: Query) => this.#call<null>('export_viewers', { query });
  /** Asks where to write the log, and writes it. */
  readonly exportViewerLog = () => this.#call<null>('export_viewer_log');
  readonly forgetViewers = () => this.#call<null>('forget_viewers');
  readonly createGroup = (name: string, description: string | null) => this.#call<null>('create_group', { name, description });
  readonly deleteGroup = (name: string) => this.#call<null>('delete_group', { name });
  /** The mails that the sandbox's pool would have sent. */
  readonly mails = () => this.#call<Mail[]>('mails');
  readonly signInAs = (address: string, password: string) => this.#call<Step>('sign_in_as', { address, password });
  readonly choosePasswordAs = (password: string) => this.#call<Step>('choose_password_as', { password });
  readonly giveCodeAs = (code: string, password: string) => this.#call<Step>('give_code_as', { code, password });
  readonly lookAgainAs = () => this.#call<Watchable[]>('look_again_as');
  readonly playAs = (video: Watchable) => this.#call<string>('play_as', { video });
  readonly leaveViewerSession = () => this.#call<null>('leave_viewer_session');
  readonly watchedFolders = () => this.#call<WatchedFolder[]>('watched_folders');
  /** Asks for folders to watch, and answers with a rule for each. */
  readonly chooseWatchFolders = () => this.#call<WatchFolder[]>('choose_watch_folders');
  /** Rules for the folders among what was dropped. */
  readonly watchDropped = (drop: number) => this.#call<WatchFolder[]>('watch_dropped', { drop });
  readonly putWatchFolder = (rule: WatchFolder) => this.#call<WatchFolder>('put_watch_folder', { rule });
  /** Takes the disk that is there now for the one of a watch folder. */
  readonly acceptDisk = (id: string) => this.#call<null>('accept_disk', { id });
  readonly removeWatchFolder = (id: string) => this.#call<null>('remove_watch_folder', { id });
  readonly previewWatchFolder = (rule: WatchFolder) => this.#call<Preview>('preview_watch_folder', { rule });
  /** Takes a file of a watch folder as it is. */
  readonly insist = (id: string, path: string) => this.#call<null>('insist', { id, path });
  readonly revealWatched = (id: string, path: string) => this.#call<null>('reveal_watched', { id, path });
  readonly cancelJob = (id: string) => this.#call<null>('cancel_job', { id });
}

/** Hears the core's events, in batches of one workspace each. */
export const onEvents = (hear: (workspace: string, events: Event[]) => void) =>
  listen<{ workspace: string; events: Event[] }>('core', (message) => hear(message.payload.workspace, message.payload.events));
/** Hears that a workspace was opened or closed, or could not be opened. */
export const onAtWork = (hear: (atWork: AtWork) => void) => listen<AtWork>('at-work', (message) => hear(message.payload));

/** Hears that the window is being closed with work in hand: how many files. */
export const onQuitAsked = (hear: (inHand: number) => void) => listen<number>('quit-asked', (message) => hear(message.payload));
/** Hears that a notice of the system was clicked: the workspace and the row that it spoke of. */
export const onShow = (hear: (workspace: string, journey: string | null) => void) => listen<[string, string | null]>('show', (message) => hear(...message.payload));

export type Drag = { kind: 'over' } | { kind: 'leave' } | { kind: 'drop'; drop: number; names: string[] };

/** Hears files being dragged over the window and dropped on it. */
export const onDrag = (hear: (drag: Drag) => void) => listen<Drag>('drag', (message) => hear(message.payload));

/** What was thrown, as the core's error. */
export function asError(thrown: unknown): CoreError {
  if (typeof thrown === 'object' && thrown !== null && 'remedy' in thrown) return thrown as CoreError;
  return {
    code: 'internal',
    message: 'Something inside Reeldesk failed.',
    remedy: 'Try again; if it happens again, copy the details and send them to us.',
    details: String(thrown),
  };
}
