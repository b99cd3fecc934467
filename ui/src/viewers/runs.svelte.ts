import type { WorkspaceBackend } from '../backend';
import type { ActionResult, RunSummary, Selection, ViewerAction } from '../bindings';
import { Run } from '../shared/run.svelte';

/** What is being done with some viewers, or was done last. */
export class Runs extends Run<ActionResult, RunSummary> {
  constructor(readonly backend: WorkspaceBackend) {
    super(
      ({ outcome }) => outcome.kind === 'failed',
      (run, hear) => backend.undoRun(run, hear),
    );
  }

  readonly act = (selection: Selection, count: number, act: ViewerAction, title: string) =>
    this.begin(title, count, (hear) => this.backend.actOnViewers(selection, act, hear));
  readonly stop = () => void this.backend.stopRun();
}
