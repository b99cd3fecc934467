import { Attempt } from './attempt.svelte';
import { Pace } from './pace.svelte';

const UNDO = 'Undo: ';

/** What a summary of a run tells. */
export interface Summary {
  run: string;
  done: number;
  canBeUndone: boolean;
}

/** Something that is done with many, or was done last: each is told as it ends. */
export class Run<Result, Done extends Summary> extends Attempt {
  readonly pace = new Pace();
  /** What is done, in words; none where nothing is. */
  title = $state<string | null>(null);
  of = $state(0);
  done = $state(0);
  failures = $state.raw<Result[]>([]);
  summary = $state.raw<Done | null>(null);
  #round = 0;
  readonly #isFailure: (result: Result) => boolean;
  readonly #undo: (run: string, hear: (result: Result) => void) => Promise<Done>;

  constructor(isFailure: (result: Result) => boolean, undo: (run: string, hear: (result: Result) => void) => Promise<Done>) {
    super();
    this.#isFailure = isFailure;
    this.#undo = undo;
  }

  begin(title: string, count: number, work: (hear: (result: Result) => void) => Promise<Done>): Promise<boolean> {
    // One at a time: the one that goes on can be seen and stopped.
    if (this.busy) return Promise.resolve(false);
    [this.title, this.of, this.done, this.failures, this.summary] = [title, count, 0, [], null];
    this.pace.begin(count);
    const mine = ++this.#round;
    return this.attempt(async () => {
      this.summary = await work((result) => {
        // What is told may come after the answer, when another one is shown.
        if (mine !== this.#round) return;
        this.done += 1;
        this.pace.count();
        if (this.#isFailure(result)) this.failures = [...this.failures, result];
      });
    });
  }

  readonly undo = () => {
    const before = this.summary;
    if (before === null) return Promise.resolve(false);
    const title = this.title ?? '';
    // What undoes an undo is the thing itself.
    return this.begin(title.startsWith(UNDO) ? title.slice(UNDO.length) : UNDO + title, before.done, (hear) => this.#undo(before.run, hear));
  };
  readonly undoOf = (run: string, title = 'Undo', count = 0) => this.begin(title, count, (hear) => this.#undo(run, hear));

  readonly close = () => {
    this.title = null;
    this.summary = null;
    this.failures = [];
    this.error = null;
  };
}
