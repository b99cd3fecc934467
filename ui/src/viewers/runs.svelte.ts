import type { WorkspaceBackend } from '../backend';
import type { ViewerAction, ActionResult, RunSummary, Selection } from '../bindings';
import { Attempt } from '../shared/attempt.svelte';
import { Pace } from '../shared/pace.svelte';

const UNDO = 'Undo: ';

/** What is being done with some viewers, or was done last. */
export class Runs extends Attempt {
  readonly pace = new Pace();
  /** What is done, in words; none where nothing is. */
  title = $state<string | null>(null);
  of = $state(0);
  done = $state(0);
  failures = $state.raw<ActionResult[]>([]);
  summary = $state.raw<RunSummary | null>(null);

  constructor(readonly backend: WorkspaceBackend) {
    super();
  }

  readonly act = (selection: Selection, count: number, act: ViewerAction, title: string) =>
    this.#run(title, count, (hear) => this.backend.actOnViewers(selection, act, hear));

  readonly undo = () => {
    const before = this.summary;
    if (before === null) return Promise.resolve(false);
    const title = this.title ?? '';
    // What undoes an undo is the thing itself.
    return this.#run(title.startsWith(UNDO) ? title.slice(UNDO.length) : UNDO + title, before.done, (hear) => this.backend.undoRun(before.run, hear));
  };
  readonly undoOf = (run: string) => this.#run('Undo', 0, (hear) => this.backend.undoRun(run, hear));
  readonly stop = () => void this.backend.stopRun();
  readonly close = () => {
    this.title = null;
    this.summary = null;
    this.failures = [];
    this.error = null;
  };

  #run(title: string, count: number, work: (hear: (acted: ActionResult) => void) => Promise<RunSummary>): Promise<boolean> {
    [this.title, this.of, this.done, this.failures, this.summary] = [title, count, 0, [], null];
    this.pace.begin(count);
    return this.attempt(async () => {
      this.summary = await work((acted) => {
        this.done += 1;
        this.pace.count();
        if (acted.outcome.kind === 'failed') this.failures = [...this.failures, acted];
      });
    });
  }
}
