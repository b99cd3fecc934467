import type { Error, Event } from './bindings';
import { Ingest } from './ingest/ingest.svelte';
import { Jobs } from './jobs/jobs.svelte';
import { Library } from './library/library.svelte';
import { Viewers } from './viewers/viewers.svelte';
import { Watch } from './watch/watch.svelte';

/** What is known of one workspace: what its screens show, and what an event changes of it. */
export class Room {
  readonly ingest = new Ingest();
  readonly library = new Library();
  readonly jobs = new Jobs();
  readonly watch = new Watch();
  readonly viewers = new Viewers();
  unreachable = $state<Error | null>(null);

  async load(): Promise<void> {
    await Promise.all([this.ingest.load(), this.library.load(), this.jobs.load(), this.watch.load()]);
  }

  hear(events: Event[]): void {
    this.ingest.put(events.flatMap((event) => (event.kind === 'journey' ? [event.journey] : [])));
    for (const event of events) this.#apply(event);
  }

  #apply(event: Event): void {
    switch (event.kind) {
      case 'journey':
        break;
      case 'batchEnded':
        this.ingest.ended(event.summary);
        break;
      case 'library':
        this.unreachable = null;
        this.library.show(event.videos, event.readAt);
        break;
      case 'jobs':
        this.unreachable = null;
        this.jobs.show(event.jobs, event.readAt);
        break;
      case 'watch':
        this.watch.folders = event.folders;
        break;
      case 'viewers':
        this.viewers.hear(event.reading);
        break;
      case 'away':
        // Its row says so.
        break;
      case 'runEnded':
        // A notice of the system tells those who look elsewhere.
        break;
      case 'unreachable':
        this.unreachable = event.error;
        break;
      case 'signIn':
        this.ingest.signIn = event.error;
        break;
      case 'signInEnds':
        this.ingest.signInEnds = event.error;
        break;
      case 'resync':
        void this.ingest.load();
        void this.library.load();
        void this.jobs.load();
        void this.watch.load();
        this.viewers.hear(this.viewers.reading);
        break;
    }
  }
}
