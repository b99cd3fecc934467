import * as backend from '../backend';
import type { Error, Job } from '../bindings';

/** The newest MediaConvert jobs, as last read. */
export class Jobs {
  jobs = $state<Job[]>([]);
  readAt = $state<number | null>(null);
  error = $state<Error | null>(null);

  constructor(readonly backend: backend.WorkspaceBackend) {}

  async load(): Promise<void> {
    try {
      this.show(await this.backend.jobs(), Date.now());
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  }

  show(jobs: Job[], readAt: number): void {
    this.jobs = jobs;
    this.readAt = readAt;
    this.error = null;
  }

  readonly cancel = async (id: string) => {
    try {
      await this.backend.cancelJob(id);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };
}
