// The one door to the core: commands, events, the file dialog and the drop.
import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { open } from '@tauri-apps/plugin-dialog';

import type { Answer, Cursor, Error as CoreError, Event, Guid, Job, Journey, Limits, Orphan, Page, Stream, Video, Wish, Workspace } from './bindings';

export interface Boot {
  workspace: string | null;
  profiles: string[];
  ffmpeg: CoreError | null;
}

export const boot = () => invoke<Boot>('boot');
export const openWorkspace = (name: string) => invoke<Workspace>('open_workspace', { name });
export const connect = (workspace: Workspace) => invoke<Workspace>('connect', { workspace });
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
export async function chooseFolders(): Promise<string[]> {
  return (await open({ multiple: true, directory: true, title: 'Add folders of videos' })) ?? [];
}

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
