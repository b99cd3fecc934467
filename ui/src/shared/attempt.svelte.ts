import * as backend from '../backend';
import type { Error } from '../bindings';

/** What one tries of the core, and what became of the last try. */
export class Attempt {
  error = $state<Error | null>(null);
  busy = $state(false);

  /** Tries; answers whether it went well. */
  readonly attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    this.error = null;
    this.busy = true;
    try {
      await work();
      return true;
    } catch (thrown) {
      this.error = backend.asError(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  };
}
