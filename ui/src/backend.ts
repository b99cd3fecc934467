// The one door to the core: commands, events, dialogs and the drop. No path goes through it:
// Rust opens the dialogs and keeps what was dropped.
import { listen } from '@tauri-apps/api/event';

import type { AtWork, Drag, Error as CoreError, Event, EventBatch } from './bindings';

export * from './commands';

/** Hears the core's events, in batches of one workspace each. */
export const onEvents = (hear: (workspace: string, events: Event[]) => void) =>
  listen<EventBatch>('core', (message) => hear(message.payload.workspace, message.payload.events));
/** Hears that a workspace was opened or closed, or could not be opened. */
export const onAtWork = (hear: (atWork: AtWork) => void) => listen<AtWork>('at-work', (message) => hear(message.payload));

/** Hears that the window is being closed with work in hand: how many files. */
export const onQuitAsked = (hear: (inHand: number) => void) => listen<number>('quit-asked', (message) => hear(message.payload));
/** Hears that a notice of the system was clicked: the workspace and the row that it spoke of. */
export const onShow = (hear: (workspace: string, journey: string | null) => void) => listen<[string, string | null]>('show', (message) => hear(...message.payload));

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
