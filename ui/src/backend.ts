// The one door to the core: commands, events, the file dialog and the drop.
import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { open, save } from '@tauri-apps/plugin-dialog';

import type {
  AccessKey,
  Answer,
  Choices,
  Connection,
  CredentialsSource,
  Cursor,
  Error as CoreError,
  Event,
  Finding,
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
  Orphan,
  Page,
  PoolFacts,
  PoolUser,
  Preview,
  Profile,
  SignIn,
  Stack,
  Stream,
  Video,
  Viewer,
  WatchedFolder,
  WatchFolder,
  Wish,
  Workspace,
} from './bindings';

export interface Boot {
  workspace: string | null;
  trouble: CoreError | null;
  ffmpeg: CoreError | null;
}

export const boot = () => invoke<Boot>('boot');
export const openWorkspace = (name: string) => invoke<Workspace>('open_workspace', { name });
export const workspaces = () => invoke<Workspace[]>('workspaces');
export const profiles = () => invoke<Profile[]>('profiles');
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
export const policyOf = (workspace: Workspace) => invoke<string>('policy_of', { workspace });
export const exportWorkspace = (to: string) => invoke<null>('export_workspace', { to });
export const importWorkspace = (from: string) => invoke<Workspace>('import_workspace', { from });
export const diagnostics = () => invoke<string>('diagnostics');
/** A page of the journeys, behind a position; an empty one is the end. */
export const journeys = (after: number) => invoke<Journey[]>('journeys', { after });
export const addPaths = (paths: string[]) => invoke<null>('add_paths', { paths });
export const steer = (id: string, wish: Wish) => invoke<null>('steer', { id, wish });
export const steerAll = (wish: Wish) => invoke<null>('steer_all', { wish });
export const clearJourneys = () => invoke<null>('clear_journeys');
export const signedIn = () => invoke<null>('signed_in');
export const answer = (id: string, one: Answer, remaining: boolean) => invoke<null>('answer', { id, answer: one, remaining });
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
export const viewers = () => invoke<Viewer[]>('viewers');
export const poolFacts = () => invoke<PoolFacts>('pool_facts');
/** What a pasted list of people holds. */
export const readInvitees = (text: string) => invoke<Invitees>('read_invitees', { text });
/** Invites people; `hear` gets what became of each as it is done. */
export function invite(people: Invitee[], invitation: Invitation, hear: (address: string, invited: Invited) => void): Promise<null> {
  const told = new Channel<{ address: string; invited: Invited }>();
  told.onmessage = ({ address, invited }) => hear(address, invited);
  return invoke('invite', { people, invitation, told });
}
export type ViewerAct = 'resend' | 'disable' | 'enable' | 'sign-out' | 'reset' | 'remove';
export const actOnViewer = (address: string, act: ViewerAct) => invoke<null>('act_on_viewer', { address, act });
export const watchedFolders = () => invoke<WatchedFolder[]>('watched_folders');
/** Rules for those of these paths that are folders. */
export const rulesFor = (paths: string[]) => invoke<WatchFolder[]>('rules_for', { paths });
export const putWatchFolder = (rule: WatchFolder) => invoke<WatchFolder>('put_watch_folder', { rule });
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

export type Drag = { kind: 'over' } | { kind: 'leave' } | { kind: 'drop'; paths: string[] };

/** Hears files being dragged over the window and dropped on it. */
export async function onDrag(hear: (drag: Drag) => void): Promise<void> {
  await listen('tauri://drag-enter', () => hear({ kind: 'over' }));
  await listen('tauri://drag-leave', () => hear({ kind: 'leave' }));
  await listen<{ paths: string[] }>('tauri://drag-drop', (message) => hear({ kind: 'drop', paths: message.payload.paths }));
}

const VIDEO = ['mp4', 'm4v', 'mov', 'mkv', 'webm', 'mxf', 'mpg', 'mpeg', 'm2ts', 'mts', 'ts', 'wmv', 'h264'];

/** Asks for files; an empty list when the dialog was closed. */
export async function chooseFiles(): Promise<string[]> {
  const filters = [
    { name: 'Videos', extensions: [...VIDEO, ...VIDEO.map((one) => one.toUpperCase())] },
    { name: 'All files', extensions: ['*'] },
  ];
  return (await open({ multiple: true, title: 'Add videos', filters })) ?? [];
}

/** Asks for folders; an empty list when the dialog was closed. */
export async function chooseFolders(title: string): Promise<string[]> {
  return (await open({ multiple: true, directory: true, title })) ?? [];
}

const WORKSPACE_FILE = [{ name: 'Workspaces', extensions: ['toml'] }];

/** Asks for the file of a workspace; none when the dialog was closed. */
export const chooseWorkspaceFile = () => open({ title: 'Open a workspace file', filters: WORKSPACE_FILE });

/** Asks where to write one; none when the dialog was closed. */
export const chooseExport = (name: string) => save({ title: 'Export the workspace', defaultPath: `${name}.toml`, filters: WORKSPACE_FILE });

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
