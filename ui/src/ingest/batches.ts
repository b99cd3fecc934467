// Batches: what was dropped at once, as the tray shows it.
import type { BatchSummary, Journey } from '../bindings';
import { bytes, took } from '../shared/format';
import { isOpen } from './stages';

export interface Batch {
  id: number;
  name: string;
  /** Those that are under way or need the admin, in the order in which they are sent. */
  journeys: Journey[];
  summary: BatchSummary | null;
}

/** The batches that are under way or have ended unseen, the newest first; `journeys` come newest first too. */
export function batches(journeys: Journey[], summaries: BatchSummary[]): Batch[] {
  const all = new Map<number, Journey[]>();
  for (const journey of journeys) {
    const batch = all.get(journey.batch);
    if (batch) batch.push(journey);
    else all.set(journey.batch, [journey]);
  }
  const shown: Batch[] = [];
  for (const [id, members] of all) {
    const isUnderWay = members.some((journey) => isOpen(journey.stage));
    const summary = isUnderWay ? null : (summaries.find((one) => one.batch === id) ?? null);
    if (!isUnderWay && summary === null) continue;
    members.reverse();
    shown.push({ id, name: name(members), journeys: members.filter((one) => isOpen(one.stage) || one.stage === 'needsYou'), summary });
  }
  return shown;
}

/** The file's title, or how many there are and the folder that holds them. */
export function name(members: Journey[]): string {
  const [first] = members;
  if (!first) return '';
  if (members.length === 1) return first.title;
  let folder = parent(first.path);
  for (const one of members) while (!within(one.path, folder)) folder = folder.slice(0, -1);
  const last = folder.at(-1);
  return last ? `${members.length} files from ${last}` : `${members.length} files`;
}

/** The folders of a path, from the root. */
function parent(path: string): string[] {
  return path.split(/[\\/]/).slice(0, -1);
}

function within(path: string, folder: string[]): boolean {
  const own = parent(path);
  return folder.every((part, index) => own[index] === part);
}

/** How a batch ended, in one sentence. */
export function sentence(summary: BatchSummary): string {
  const parts = [
    [summary.playable, 'playable'],
    [summary.skipped, 'skipped'],
    [summary.needsYou, summary.needsYou === 1 ? 'needs you' : 'need you'],
    [summary.canceled, 'canceled'],
  ] as const;
  const ends = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const sent = summary.bytes > 0 ? `, ${bytes(summary.bytes)} sent in ${took(summary.seconds)}` : '';
  if (summary.title !== null) {
    const [end] = parts.filter(([count]) => count > 0).map(([, word]) => word);
    return `"${summary.title}": ${end ?? 'ended'}${sent}`;
  }
  return `${summary.files} files: ${ends.join(', ')}${sent}`;
}
