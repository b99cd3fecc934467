import type { WorkspaceBackend } from '../backend';
import type { EditResult, EditSummary, Guid, PurgeKind, VideoPatch, VideoSelection } from '../bindings';
import { Run } from '../shared/run.svelte';

/** A patch that changes nothing. */
export const NO_CHANGE: VideoPatch = {
  title: null,
  description: null,
  clearTags: false,
  setTags: {},
  removeTags: [],
  published: null,
  publishFrom: null,
  publishUntil: null,
  poster: null,
  trashed: null,
};

/** What is being changed of some videos, or was changed last. */
export class Edits extends Run<EditResult, EditSummary> {
  constructor(readonly backend: WorkspaceBackend) {
    super(
      ({ outcome }) => outcome.kind === 'failed' || outcome.kind === 'aside',
      (run, hear) => backend.undoEdit(run, hear),
    );
  }

  readonly act = (selection: VideoSelection, count: number, patch: Partial<VideoPatch>, title: string) =>
    this.begin(title, count, (hear) => this.backend.editVideos(selection, { ...NO_CHANGE, ...patch }, hear));
  readonly purge = (guids: Guid[], ticked: PurgeKind[], title: string) => this.begin(title, guids.length, (hear) => this.backend.purgeVideos(guids, ticked, hear));
  /** Goes on with a change; `again` also tries those that failed or that someone else changed. */
  readonly resume = (run: string, again: boolean, title: string, count: number) => this.begin(title, count, (hear) => this.backend.resumeEdit(run, again, hear));
  readonly stop = () => void this.backend.stopEdit();
}

/** How a change of many ended. */
export function editWords(summary: EditSummary): string {
  const parts = [
    [summary.done, 'done'],
    [summary.unchanged, summary.unchanged === 1 ? 'was so already' : 'were so already'],
    [summary.aside, 'changed by someone else and left alone'],
    [summary.failed, 'failed'],
    [summary.left, 'left'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, words]) => (summary.of === 1 ? words : `${count.toLocaleString()} ${words}`));
  const why = summary.error === null ? '' : `. ${summary.error.message} ${summary.error.remedy}`;
  return (said.length === 0 ? 'nothing to do' : said.join(', ')) + why;
}
