// Generated from the Rust sources by `cargo xtask bindings`. Do not edit.

import { Channel, invoke } from '@tauri-apps/api/core';

import type {
  Error,
  PoolUser,
  CredentialsSource,
  AccessKey,
  SignIn,
  Keep,
  Connection,
  Workspace,
  Habits,
  SavedView,
  LibraryLayout,
  Profiles,
  Identity,
  Stack,
  Choices,
  Rights,
  Finding,
  Comparison,
  Guid,
  Video,
  TablePreview,
  FieldChange,
  VideoPatch,
  VideoSelection,
  EditPreview,
  Exported,
  ImportPreview,
  EditResult,
  EditSummary,
  EditLogEntry,
  Saved,
  PurgeKind,
  PurgePart,
  PurgePlan,
  VideoQuery,
  FoundVideos,
  VideoCounts,
  MirrorAge,
  JobQuery,
  FoundJobs,
  JobCounts,
  Journey,
  JourneyCommand,
  SignInNeed,
  Resolution,
  Limits,
  Orphan,
  Stream,
  Query,
  Found,
  Census,
  PoolFacts,
  Person,
  ViewerAction,
  Selection,
  ActionResult,
  RunSummary,
  LogEntry,
  Mail,
  Watchable,
  Step,
  Invitee,
  Invitees,
  Invitation,
  WatchFolder,
  WatchedFolder,
  Preview,
  Boot,
  AtWork,
  SignInPage,
  How,
  HabitsShown,
  InviteProgress,
  Removed,
} from './bindings';

function channel<T>(hear: (message: T) => void): Channel<T> {
  const channel = new Channel<T>();
  channel.onmessage = hear;
  return channel;
}

/** What the page needs to know first. */
export const boot = () => invoke<Boot>('boot');
/** The workspaces at work. */
export const atWork = () => invoke<AtWork>('at_work');
/** Opens a workspace for the window, beside those that are open. */
export const openWorkspace = (name: string) => invoke<Workspace>('open_workspace', { name });
export const workspaces = () => invoke<Workspace[]>('workspaces');
export const profiles = () => invoke<Profiles>('profiles');
export const identity = (connection: Connection) => invoke<Identity>('identity', { connection });
export const stacks = (connection: Connection) => invoke<Stack[]>('stacks', { connection });
export const choices = (connection: Connection) => invoke<Choices>('choices', { connection });
/** Fails where the system has no keyring. */
export const keyringWorks = () => invoke<null>('keyring_works');
/** Keeps an access key, in place of what `source` holds where it is one. */
export const giveAccessKey = (key: AccessKey, keep: Keep, source: CredentialsSource | null) => invoke<CredentialsSource>('give_access_key', { key, keep, source });
/** Forgets what was typed and is not used. */
export const forgetCredentials = (source: CredentialsSource) => invoke<null>('forget_credentials', { source });
export const signInOf = (connection: Connection) => invoke<SignIn>('sign_in_of', { connection });
export const giveCode = (connection: Connection, profile: string, code: string) => invoke<null>('give_code', { connection, profile, code });
/** Signs a user of a pool in, in place of who signed in to the connection before where that was one. */
export const givePassword = (user: PoolUser, password: string, keep: Keep, connection: Connection) => invoke<CredentialsSource>('give_password', { user, password, keep, connection });
/** Opens the browser for a sign-in. */
export const beginSignIn = (profile: string) => invoke<SignInPage>('begin_sign_in', { profile });
/** Waits until it was confirmed there. */
export const finishSignIn = () => invoke<null>('finish_sign_in');
/** Goes on after a sign-in. */
export const signedIn = (name: string) => invoke<null>('signed_in', { name });
/** Connects to a workspace; one that is not new takes the place of the one of its name. */
export const connect = (workspace: Workspace, isNew: boolean) => invoke<Workspace>('connect', { workspace, isNew });
/** Forgets a workspace; says what S3 may still have of it. */
export const removeWorkspace = (name: string) => invoke<Removed>('remove_workspace', { name });
/** What the table of a workspace has, and what its videos read like with the names that the workspace gives its attributes. */
export const previewTable = (workspace: Workspace) => invoke<TablePreview>('preview_table', { workspace });
export const policyOf = (workspace: Workspace, rights: Rights) => invoke<string>('policy_of', { workspace, rights });
/** Asks for the file of a workspace; none when the dialog was closed. */
export const importWorkspace = () => invoke<Workspace | null>('import_workspace');
/** Ends the app: at once, when its work is done, or after asking where there is work. */
export const quit = (how: How) => invoke<null>('quit', { how });
/** Asks for a list of videos; its text, or none when the dialog was closed. */
export const chooseVideoList = () => invoke<string | null>('choose_video_list');
/** The views of the Library that were saved. */
export const views = () => invoke<SavedView[]>('views');
/** How the Library shows its videos. */
export const libraryLayout = () => invoke<LibraryLayout>('library_layout');
/** Changes how the Library shows its videos. */
export const setLibraryLayout = (layout: LibraryLayout) => invoke<null>('set_library_layout', { layout });
/** Saves a view, in place of one of its name; without an address that one goes. Answers all of them. */
export const saveView = (name: string, address: string | null) => invoke<SavedView[]>('save_view', { name, address });
/** What a pasted list holds. */
export const readInvitees = (text: string) => invoke<Invitees>('read_invitees', { text });
/** Asks for a list of people; its text, or none when the dialog was closed. */
export const chooseList = () => invoke<string | null>('choose_list');
/** The text of the lists that were dropped. */
export const readDropped = (drop: number) => invoke<string>('read_dropped', { drop });
export const habits = () => invoke<HabitsShown>('habits');
export const setHabits = (habits: Habits, startsWithSession: boolean) => invoke<null>('set_habits', { habits, startsWithSession });

/** What is asked of one workspace: it goes with each question, so that a switch of the window leads none to another. */
export class WorkspaceBackend {
  constructor(readonly workspace: string) {}

  /** Tries the workspace; each finding is told as it comes. */
  readonly checkWorkspace = (found: (message: Finding) => void) => invoke<Finding[]>('check_workspace', { workspace: this.workspace, found: channel(found) });
  /** Sends 64 MiB to the source bucket of the open workspace straight and through Transfer Acceleration, and removes them. */
  readonly compareTransfer = () => invoke<Comparison>('compare_transfer', { workspace: this.workspace });
  readonly stopComparison = () => invoke<null>('stop_comparison', { workspace: this.workspace });
  /** Asks where to write the workspace; where it was written, or none when the dialog was closed. */
  readonly exportWorkspace = () => invoke<string | null>('export_workspace', { workspace: this.workspace });
  /** What an engineer asks for first, without secrets. */
  readonly diagnostics = () => invoke<string>('diagnostics', { workspace: this.workspace });
  /** A page of the journeys, behind a position; an empty one is the end. */
  readonly journeys = (after: number) => invoke<Journey[]>('journeys', { workspace: this.workspace, after });
  /** What someone has to sign in for. */
  readonly signInNeed = () => invoke<SignInNeed>('sign_in_need', { workspace: this.workspace });
  /** Asks for videos, and adds them. */
  readonly chooseVideos = () => invoke<null>('choose_videos', { workspace: this.workspace });
  /** Asks for folders of videos, and adds them. */
  readonly chooseVideoFolders = () => invoke<null>('choose_video_folders', { workspace: this.workspace });
  /** Adds what was dropped. */
  readonly addDropped = (drop: number) => invoke<null>('add_dropped', { workspace: this.workspace, drop });
  readonly steer = (id: string, command: JourneyCommand) => invoke<null>('steer', { workspace: this.workspace, id, command });
  readonly steerAll = (command: JourneyCommand) => invoke<null>('steer_all', { workspace: this.workspace, command });
  readonly clearJourneys = () => invoke<null>('clear_journeys', { workspace: this.workspace });
  readonly answer = (id: string, answer: Resolution, remaining: boolean) => invoke<null>('answer', { workspace: this.workspace, id, answer, remaining });
  readonly limits = () => invoke<Limits>('limits', { workspace: this.workspace });
  readonly setLimits = (limits: Limits) => invoke<null>('set_limits', { workspace: this.workspace, limits });
  /** Shows a journey's file in the system's file manager. */
  readonly reveal = (id: string) => invoke<null>('reveal', { workspace: this.workspace, id });
  readonly orphans = () => invoke<Orphan[]>('orphans', { workspace: this.workspace });
  readonly removeOrphan = (orphan: Orphan) => invoke<null>('remove_orphan', { workspace: this.workspace, orphan });
  readonly dismissJourney = (id: string) => invoke<null>('dismiss_journey', { workspace: this.workspace, id });
  /** Some of the videos that a query finds in the mirror, from one on. */
  readonly findVideos = (query: VideoQuery, first: number, most: number) => invoke<FoundVideos>('find_videos', { workspace: this.workspace, query, first, most });
  /** How many videos a query finds in the mirror, and how many with each facet. */
  readonly countVideos = (query: VideoQuery) => invoke<VideoCounts>('count_videos', { workspace: this.workspace, query });
  /** Titles that are like what is looked for, where nothing has its words. */
  readonly nearestTitles = (query: VideoQuery) => invoke<string[]>('nearest_titles', { workspace: this.workspace, query });
  /** How old the mirror is. */
  readonly mirrorAge = () => invoke<MirrorAge>('mirror_age', { workspace: this.workspace });
  /** These videos are in sight: what others change of them is shown within seconds. */
  readonly setInSight = (guids: Guid[]) => invoke<null>('set_in_sight', { workspace: this.workspace, guids });
  readonly video = (guid: Guid) => invoke<Video>('video', { workspace: this.workspace, guid });
  /** Saves what was changed of a video on its page. */
  readonly saveVideo = (guid: Guid, changes: FieldChange[]) => invoke<Saved>('save_video', { workspace: this.workspace, guid, changes });
  /** Asks for a file that is to go with a video, and adds it; none when the dialog was closed. */
  readonly addSidecar = (guid: Guid, language: string, label: string, replaces: string | null) => invoke<Saved | null>('add_sidecar', { workspace: this.workspace, guid, language, label, replaces });
  /** What a patch would do to the selected videos. */
  readonly previewEdit = (selection: VideoSelection, patch: VideoPatch) => invoke<EditPreview>('preview_edit', { workspace: this.workspace, selection, patch });
  /** Changes the selected videos alike; each is told as it is done. */
  readonly editVideos = (selection: VideoSelection, patch: VideoPatch, told: (message: EditResult) => void) => invoke<EditSummary>('edit_videos', { workspace: this.workspace, selection, patch, told: channel(told) });
  readonly undoEdit = (run: string, told: (message: EditResult) => void) => invoke<EditSummary>('undo_edit', { workspace: this.workspace, run, told: channel(told) });
  /** Goes on with a change that was stopped or broke off; `again` also tries those that failed or were set aside. */
  readonly resumeEdit = (run: string, again: boolean, told: (message: EditResult) => void) => invoke<EditSummary>('resume_edit', { workspace: this.workspace, run, again, told: channel(told) });
  /** Gives up what is left of a change. */
  readonly giveUpEdit = (run: string) => invoke<null>('give_up_edit', { workspace: this.workspace, run });
  /** Ends the change that is going on, after the videos that are on their way. */
  readonly stopEdit = () => invoke<null>('stop_edit', { workspace: this.workspace });
  /** The newest changes, before one where one is named. */
  readonly editLog = (before: number | null) => invoke<EditLogEntry[]>('edit_log', { workspace: this.workspace, before });
  /** The newest changes of one video that were made here. */
  readonly videoHistory = (guid: Guid) => invoke<EditLogEntry[]>('video_history', { workspace: this.workspace, guid });
  /** Why the videos cannot be changed; none where they can. */
  readonly whyNotEdit = () => invoke<Error | null>('why_not_edit', { workspace: this.workspace });
  /** What would go of videos of the trash, were they deleted for good. */
  readonly planPurge = (guids: Guid[]) => invoke<PurgePlan[]>('plan_purge', { workspace: this.workspace, guids });
  /** Deletes for good what is ticked of videos of the trash; each is told as it is done. */
  readonly purgeVideos = (guids: Guid[], ticked: PurgeKind[], told: (message: EditResult) => void) => invoke<EditSummary>('purge_videos', { workspace: this.workspace, guids, ticked, told: channel(told) });
  /** What a video holds in the buckets, with its bytes. */
  readonly holdings = (guid: Guid) => invoke<PurgePart[]>('holdings', { workspace: this.workspace, guid });
  /** Asks where to write the selected videos, and writes them; how many they are, or none when the dialog was closed. */
  readonly exportVideos = (selection: VideoSelection) => invoke<Exported | null>('export_videos', { workspace: this.workspace, selection });
  /** What a list would change. */
  readonly previewImport = (list: string) => invoke<ImportPreview>('preview_import', { workspace: this.workspace, list });
  /** Changes the videos of a list, each as it says; each is told as it is done. */
  readonly importVideos = (list: string, told: (message: EditResult) => void) => invoke<EditSummary>('import_videos', { workspace: this.workspace, list, told: channel(told) });
  readonly stream = (guid: Guid) => invoke<Stream>('stream', { workspace: this.workspace, guid });
  /** The address, on the loopback proxy, of a video's stream. */
  readonly play = (guid: Guid) => invoke<string>('play', { workspace: this.workspace, guid });
  /** The addresses, on the loopback proxy, of pictures; none for one that cannot be shown. */
  readonly localUrls = (stored: string[]) => invoke<(string | null)[]>('local_urls', { workspace: this.workspace, stored });
  readonly findJobs = (query: JobQuery, first: number, most: number) => invoke<FoundJobs>('find_jobs', { workspace: this.workspace, query, first, most });
  readonly countJobs = (query: JobQuery) => invoke<JobCounts>('count_jobs', { workspace: this.workspace, query });
  readonly cancelJob = (id: string) => invoke<null>('cancel_job', { workspace: this.workspace, id });
  readonly census = () => invoke<Census>('census', { workspace: this.workspace });
  readonly findViewers = (query: Query, first: number, most: number) => invoke<Found>('find_viewers', { workspace: this.workspace, query, first, most });
  /** Reads all of the pool; the page hears of it as events. */
  readonly readViewers = () => invoke<null>('read_viewers', { workspace: this.workspace });
  readonly poolFacts = () => invoke<PoolFacts>('pool_facts', { workspace: this.workspace });
  readonly person = (username: string) => invoke<Person>('person', { workspace: this.workspace, username });
  /** Invites them; each is told as it is done. */
  readonly invite = (people: Invitee[], invitation: Invitation, told: (message: InviteProgress) => void) => invoke<null>('invite', { workspace: this.workspace, people, invitation, told: channel(told) });
  /** Does the same with each of them; each is told as it is done. */
  readonly actOnViewers = (selection: Selection, act: ViewerAction, told: (message: ActionResult) => void) => invoke<RunSummary>('act_on_viewers', { workspace: this.workspace, selection, act, told: channel(told) });
  readonly undoRun = (run: string, told: (message: ActionResult) => void) => invoke<RunSummary>('undo_run', { workspace: this.workspace, run, told: channel(told) });
  /** Ends the invitation or act that is going on, after those that are on their way. */
  readonly stopRun = () => invoke<null>('stop_run', { workspace: this.workspace });
  readonly viewerLog = (before: number | null) => invoke<LogEntry[]>('viewer_log', { workspace: this.workspace, before });
  readonly historyOf = (username: string) => invoke<LogEntry[]>('history_of', { workspace: this.workspace, username });
  /** Asks where to write the viewers that a query finds, and writes them. */
  readonly exportViewers = (query: Query) => invoke<null>('export_viewers', { workspace: this.workspace, query });
  /** Asks where to write the log, and writes it. */
  readonly exportViewerLog = () => invoke<null>('export_viewer_log', { workspace: this.workspace });
  readonly forgetViewers = () => invoke<null>('forget_viewers', { workspace: this.workspace });
  readonly createGroup = (name: string, description: string | null) => invoke<null>('create_group', { workspace: this.workspace, name, description });
  readonly deleteGroup = (name: string) => invoke<null>('delete_group', { workspace: this.workspace, name });
  readonly mails = () => invoke<Mail[]>('mails', { workspace: this.workspace });
  readonly signInAs = (address: string, password: string) => invoke<Step>('sign_in_as', { workspace: this.workspace, address, password });
  readonly choosePasswordAs = (password: string) => invoke<Step>('choose_password_as', { workspace: this.workspace, password });
  readonly giveCodeAs = (code: string, password: string) => invoke<Step>('give_code_as', { workspace: this.workspace, code, password });
  readonly lookAgainAs = () => invoke<Watchable[]>('look_again_as', { workspace: this.workspace });
  readonly playAs = (video: Watchable) => invoke<string>('play_as', { workspace: this.workspace, video });
  readonly leaveViewerSession = () => invoke<null>('leave_viewer_session', { workspace: this.workspace });
  readonly watchedFolders = () => invoke<WatchedFolder[]>('watched_folders', { workspace: this.workspace });
  /** Asks for folders to watch. */
  readonly chooseWatchFolders = () => invoke<WatchFolder[]>('choose_watch_folders', { workspace: this.workspace });
  /** Rules for the folders among what was dropped. */
  readonly watchDropped = (drop: number) => invoke<WatchFolder[]>('watch_dropped', { workspace: this.workspace, drop });
  readonly putWatchFolder = (rule: WatchFolder) => invoke<WatchFolder>('put_watch_folder', { workspace: this.workspace, rule });
  /** Takes the disk that is there now for the one of a folder. */
  readonly acceptDisk = (id: string) => invoke<null>('accept_disk', { workspace: this.workspace, id });
  readonly removeWatchFolder = (id: string) => invoke<null>('remove_watch_folder', { workspace: this.workspace, id });
  readonly previewWatchFolder = (rule: WatchFolder) => invoke<Preview>('preview_watch_folder', { workspace: this.workspace, rule });
  /** Takes a file as it is. */
  readonly insist = (id: string, path: string) => invoke<null>('insist', { workspace: this.workspace, id, path });
  /** Shows a folder, or a file in it, in the system's file manager. */
  readonly revealWatched = (id: string, path: string) => invoke<null>('reveal_watched', { workspace: this.workspace, id, path });
}
