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

export const boot = () => invoke<Boot>('boot');
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
export const removeWorkspace = (name: string) => invoke<null>('remove_workspace', { name });
/** Tries everything in the open workspace; `hear` gets each finding as it comes. */
export function checkWorkspace(hear: (finding: Finding) => void): Promise<Finding[]> {
  const found = new Channel<Finding>();
  found.onmessage = hear;
  return invoke('check_workspace', { found });
}
/** Sends 64 MiB to the source bucket both ways, and removes them. */
export const compareTransfer = () => invoke<Comparison>('compare_transfer');
export const stopComparison = () => invoke<null>('stop_comparison');
export const policyOf = (workspace: Workspace) => invoke<string>('policy_of', { workspace });
/** Asks where to write the open workspace; answers where it is, or null when the dialog was closed. */
export const exportWorkspace = () => invoke<string | null>('export_workspace');
/** Asks for the file of a workspace; null when the dialog was closed. */
export const importWorkspace = () => invoke<Workspace | null>('import_workspace');
export const diagnostics = () => invoke<string>('diagnostics');
/** A page of the journeys, behind a position; an empty one is the end. */
export const journeys = (after: number) => invoke<Journey[]>('journeys', { after });
/** Asks for videos, and adds them. */
export const chooseVideos = () => invoke<null>('choose_videos');
/** Asks for folders of videos, and adds them. */
export const chooseVideoFolders = () => invoke<null>('choose_video_folders');
export const addDropped = (drop: number) => invoke<null>('add_dropped', { drop });
export const steer = (id: string, command: JourneyCommand) => invoke<null>('steer', { id, command });
export const steerAll = (command: JourneyCommand) => invoke<null>('steer_all', { command });
export const clearJourneys = () => invoke<null>('clear_journeys');
export const signedIn = () => invoke<null>('signed_in');
export const answer = (id: string, one: Resolution, remaining: boolean) => invoke<null>('answer', { id, answer: one, remaining });
export const reveal = (id: string) => invoke<null>('reveal', { id });
export const limits = () => invoke<Limits>('limits');
export const setLimits = (all: Limits) => invoke<null>('set_limits', { limits: all });
/** Ends the app: at once, when its work is done, or after asking where there is work. */
export const quit = (how: 'now' | 'when-done' | 'ask') => invoke<null>('quit', { how });
export const orphans = () => invoke<Orphan[]>('orphans');
export const removeOrphan = (orphan: Orphan) => invoke<null>('remove_orphan', { orphan });
export const dismissJourney = (id: string) => invoke<null>('dismiss_journey', { id });
export const library = (after: Cursor | null) => invoke<Page>('library', { after });
export const video = (guid: Guid) => invoke<Video>('video', { guid });
export const stream = (guid: Guid) => invoke<Stream>('stream', { guid });
export const play = (guid: Guid) => invoke<string>('play', { guid });
export const localUrls = (stored: string[]) => invoke<(string | null)[]>('local_urls', { stored });
export const jobs = () => invoke<Job[]>('jobs');
export const census = () => invoke<Census>('census');
/** Some of the viewers that a query asks for, from one on. */
export const findViewers = (query: Query, first: number, most: number) => invoke<Found>('find_viewers', { query, first, most });
/** Reads all of the pool; what changes is heard as events. */
export const readViewers = () => invoke<null>('read_viewers');
export const poolFacts = () => invoke<PoolFacts>('pool_facts');
export const person = (username: string) => invoke<Person>('person', { username });
/** What a pasted list of people holds. */
export const readInvitees = (text: string) => invoke<Invitees>('read_invitees', { text });
/** Asks for a list of people: its text, or null when the dialog was closed. */
export const chooseList = () => invoke<string | null>('choose_list');
/** The text of the lists that were dropped. */
export const readDropped = (drop: number) => invoke<string>('read_dropped', { drop });
/** Invites people; `hear` gets what became of each as it is done. */
export function invite(people: Invitee[], invitation: Invitation, hear: (address: string, invited: Invited) => void): Promise<null> {
  const told = new Channel<{ address: string; invited: Invited }>();
  told.onmessage = ({ address, invited }) => hear(address, invited);
  return invoke('invite', { people, invitation, told });
}
/** Does the same with each of them; `hear` gets what became of each as it is done. */
export function actOnViewers(selection: Selection, act: ViewerAction, hear: (acted: ActionResult) => void): Promise<RunSummary> {
  const told = new Channel<ActionResult>();
  told.onmessage = hear;
  return invoke('act_on_viewers', { selection, act, told });
}
/** Undoes what was done at once, where that can be. */
export function undoRun(run: string, hear: (acted: ActionResult) => void): Promise<RunSummary> {
  const told = new Channel<ActionResult>();
  told.onmessage = hear;
  return invoke('undo_run', { run, told });
}
export const stopRun = () => invoke<null>('stop_run');
/** The newest lines of the log, before one. */
export const viewerLog = (before: number | null) => invoke<LogEntry[]>('viewer_log', { before });
/** The newest lines of the log that are about one viewer. */
export const historyOf = (username: string) => invoke<LogEntry[]>('history_of', { username });
/** Asks where to write the viewers that a query finds, and writes them. */
export const exportViewers = (query: Query) => invoke<null>('export_viewers', { query });
/** Asks where to write the log, and writes it. */
export const exportViewerLog = () => invoke<null>('export_viewer_log');
export const forgetViewers = () => invoke<null>('forget_viewers');
export const createGroup = (name: string, description: string | null) => invoke<null>('create_group', { name, description });
export const deleteGroup = (name: string) => invoke<null>('delete_group', { name });
/** The mails that the sandbox's pool would have sent. */
export const mails = () => invoke<Mail[]>('mails');
export const signInAs = (address: string, password: string) => invoke<Step>('sign_in_as', { address, password });
export const choosePasswordAs = (password: string) => invoke<Step>('choose_password_as', { password });
export const giveCodeAs = (code: string, password: string) => invoke<Step>('give_code_as', { code, password });
export const lookAgainAs = () => invoke<Watchable[]>('look_again_as');
export const playAs = (video: Watchable) => invoke<string>('play_as', { video });
export const leaveViewerSession = () => invoke<null>('leave_viewer_session');
export const watchedFolders = () => invoke<WatchedFolder[]>('watched_folders');
/** Asks for folders to watch, and answers with a rule for each. */
export const chooseWatchFolders = () => invoke<WatchFolder[]>('choose_watch_folders');
/** Rules for the folders among what was dropped. */
export const watchDropped = (drop: number) => invoke<WatchFolder[]>('watch_dropped', { drop });
export const putWatchFolder = (rule: WatchFolder) => invoke<WatchFolder>('put_watch_folder', { rule });
/** Takes the disk that is there now for the one of a watch folder. */
export const acceptDisk = (id: string) => invoke<null>('accept_disk', { id });
export const removeWatchFolder = (id: string) => invoke<null>('remove_watch_folder', { id });
export const previewWatchFolder = (rule: WatchFolder) => invoke<Preview>('preview_watch_folder', { rule });
/** Takes a file of a watch folder as it is. */
export const insist = (id: string, path: string) => invoke<null>('insist', { id, path });
export const revealWatched = (id: string, path: string) => invoke<null>('reveal_watched', { id, path });
export const habits = () => invoke<{ habits: Habits; startsWithSession: boolean }>('habits');
export const setHabits = (habits: Habits, startsWithSession: boolean) => invoke<null>('set_habits', { habits, startsWithSession });
export const cancelJob = (id: string) => invoke<null>('cancel_job', { id });

/** Hears the core's events, in batches. */
export const onEvents = (hear: (events: Event[]) => void) => listen<Event[]>('core', (message) => hear(message.payload));

/** Hears that the window is being closed with work in hand: how many files. */
export const onQuitAsked = (hear: (inHand: number) => void) => listen<number>('quit-asked', (message) => hear(message.payload));
/** Hears that a notice of the system was clicked: the row that it spoke of. */
export const onShowJourney = (hear: (id: string) => void) => listen<string>('show-journey', (message) => hear(message.payload));

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
