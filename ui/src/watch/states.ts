// The states of files and folders in words.
import type { Condition, FileState, Incomplete, Journey, WatchedFile, WatchedFolder } from '../bindings';
import { bytes } from '../shared/format';
import { word } from '../ingest/stages';

export type Tone = 'good' | 'bad' | 'working' | 'quiet';

export interface Words {
  text: string;
  tone: Tone;
  /** What more there is to say. */
  more?: string;
}

const MISSING = (missing: Incomplete): string => {
  switch (missing.kind) {
    case 'empty':
      return 'Empty: waiting for its content';
    case 'noIndex':
      return `Waiting for ${missing.index}`;
    case 'cutOff':
      return `Cut off: ${bytes(missing.has)} of at least ${bytes(missing.wants)}`;
    case 'zeros':
      return `Empty after ${bytes(missing.has)} of ${bytes(missing.size)}`;
  }
};

const ENDINGS = {
  playable: { text: 'Playable', tone: 'good' },
  skipped: { text: 'In the library already', tone: 'quiet' },
  'left-out': { text: 'Changed, and left alone', tone: 'quiet' },
  canceled: { text: 'Canceled', tone: 'quiet' },
  before: { text: 'There before', tone: 'quiet' },
} as const satisfies Record<string, Words>;

/** What a file is at; `now` in milliseconds since the epoch, `journey` where it has one. */
export function fileWords(state: FileState, now: number, journey?: Journey): Words {
  switch (state.kind) {
    case 'stuck':
    case 'unreadable':
      return { text: state.error.message, tone: 'bad', more: state.error.remedy };
    case 'incomplete':
      return { text: MISSING(state.missing), tone: 'working', more: 'It is taken when it is complete.' };
    case 'held':
      return { text: 'Still being written', tone: 'working', more: 'A program holds it open.' };
    case 'growing':
      return { text: 'Growing', tone: 'working' };
    case 'settling':
      return { text: `Settling ${Math.max(1, Math.ceil((state.until - now) / 1000))} s`, tone: 'working' };
    case 'settled':
      return { text: 'Waiting for room', tone: 'quiet' };
    case 'sending':
      return { text: 'Changed while it was sent', tone: 'working', more: 'It is looked at again when that is done.' };
    case 'underWay':
      if (journey === undefined) return { text: 'Taken', tone: 'working' };
      return { text: word(journey), tone: journey.stage === 'needsYou' ? 'bad' : 'working', ...(journey.error ? { more: journey.error.message } : {}) };
    case 'unseen':
      return { text: 'Waiting', tone: 'quiet' };
    case 'temporary':
      return { text: 'A temporary name', tone: 'quiet', more: 'It is taken when it has its own.' };
    case 'link':
      return { text: 'Skipped: a link', tone: 'quiet', more: 'Links are not followed. Put the file itself into the folder.' };
    case 'unnamed':
      return { text: 'Skipped: its name is not readable text', tone: 'bad', more: 'Rename it.' };
    case 'closed':
      return { text: 'A folder that may not be read', tone: 'bad', more: 'Give your user read permission on it.' };
    case 'ended':
      return ENDINGS[state.ending];
  }
}

/** Whether the admin may have it taken as it is. */
export const canInsist = (file: WatchedFile) => file.state.kind === 'held' || (file.state.kind === 'incomplete' && file.state.missing.kind !== 'empty');

/** Whether any of them counts down. */
export const counts = (folders: WatchedFolder[]) => folders.some((folder) => folder.files.some((file) => file.state.kind === 'settling'));

export function folderWords(condition: Condition): Words {
  switch (condition.kind) {
    case 'paused':
      return { text: 'Paused', tone: 'quiet' };
    case 'starting':
      return { text: 'Looking at it', tone: 'working' };
    case 'watching':
      return { text: 'Watching', tone: 'good' };
    case 'polling':
      return { text: 'Watching, by looking again and again', tone: 'good', more: condition.why === null ? 'Disks of other computers do not tell of changes.' : `${condition.why.message} ${condition.why.remedy}` };
    case 'trouble':
      return { text: 'Not there', tone: 'bad' };
  }
}

/** The sum of a folder in one line. */
export function summary(folder: WatchedFolder): string {
  const parts = [];
  if (folder.waiting > 0) parts.push(`${folder.waiting} waiting`);
  if (folder.underWay > 0) parts.push(`${folder.underWay} under way`);
  if (folder.taken > 0) parts.push(`${folder.taken} taken in all`);
  if (folder.leftOut > 0) parts.push(`${folder.leftOut} left out: there before`);
  return parts.join(', ');
}

/** The rule in one line. */
export function ruleWords({ rule }: WatchedFolder): string {
  const parts = [`settles for ${rule.settleSeconds} s`];
  if (!rule.recursive) parts.push('without its folders');
  if (rule.include.length > 0) parts.push(`only ${rule.include.join(', ')}`);
  if (rule.exclude.length > 0) parts.push(`not ${rule.exclude.join(', ')}`);
  if (rule.naming !== null) parts.push(rule.naming);
  if (rule.afterwards === 'move') parts.push('then moved to "done"');
  if (rule.afterwards === 'delete') parts.push('then deleted');
  return parts.join(' · ');
}
