import type { WorkspaceBackend } from '../backend';
import type { EditLogEntry } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';

/** Lines of the log that come at once. */
const LINES = 200;

/** What was changed from this computer, the newest first. */
export class Activity extends Attempt {
  entries = $state.raw<EditLogEntry[] | null>(null);
  hasMore = $state(false);

  constructor(readonly backend: WorkspaceBackend) {
    super();
  }

  readonly load = () =>
    this.attempt(async () => {
      this.entries = await this.backend.editLog(null);
      this.hasMore = this.entries.length === LINES;
    });
  readonly more = () =>
    this.attempt(async () => {
      const older = await this.backend.editLog(this.entries?.at(-1)?.id ?? null);
      this.entries = [...(this.entries ?? []), ...older];
      this.hasMore = older.length === LINES;
    });
  readonly giveUp = (run: string) =>
    this.attempt(async () => {
      await this.backend.giveUpEdit(run);
      this.entries = await this.backend.editLog(null);
    });
}

const WHAT: Record<string, string> = {
  edit: 'Changed',
  publish: 'Published',
  unpublish: 'Unpublished',
  trash: 'Moved to the trash',
  restore: 'Restored',
  import: 'Imported',
  undo: 'Undid changes of',
  purge: 'Deleted for good',
};

/** What a line says. */
export function lineWords(entry: EditLogEntry): string {
  const whom = entry.of === 1 ? `"${entry.title ?? entry.guid ?? 'a video'}"` : `${entry.of.toLocaleString()} videos`;
  return `${WHAT[entry.what] ?? entry.what} ${whom}`;
}

/** How it ended, where that is not just well. */
export function endWords(entry: EditLogEntry): string {
  const parts = [
    [entry.failed, 'failed or were left alone'],
    [entry.left, 'left'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, words]) => `${count.toLocaleString()} ${words}`);
  if (said.length === 0 && entry.done === 0) return entry.what === 'purge' ? 'nothing was deleted' : 'nothing was changed';
  return said.join(', ');
}
