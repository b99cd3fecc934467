import { Activity } from './activity/activity.svelte';
import { WorkspaceBackend } from './backend';
import type { Error, Event } from './bindings';
import { Ingest } from './ingest/ingest.svelte';
import { Jobs } from './jobs/jobs.svelte';
import { Library } from './library/library.svelte';
import { Viewers } from './viewers/viewers.svelte';
import { Watch } from './watch/watch.svelte';
import type { Doing } from './workspace/doing';

/** What is known of one workspace: what its screens show, and what an event changes of it. */
export class Room {
  readonly backend: WorkspaceBackend;
  readonly ingest: Ingest;
  readonly library: Library;
  readonly jobs: Jobs;
  readonly watch: Watch;
  readonly viewers: Viewers;
  readonly activity: Activity;
  /** It was open: once it is not any more, it is left. */
  wasOpen = false;
  /** It is being opened. */
  isOpening = false;
  /** Its screens were shown: only then are the library and the jobs read. */
  wasShown = false;
  unreachable = $state<Error | null>(null);

  /** Folders that are watched. */
  #watching = $derived.by(() => this.watch.folders.filter((folder) => folder.condition.kind !== 'paused').length);
  /** What it does, in a word or two for the switch; null where it rests. */
  doing = $derived.by((): Doing | null => {
    const { needsYou, sending, encoding, paused } = this.ingest.counts;
    if (this.ingest.signIn !== null) return { text: 'sign in', isUrgent: true };
    if (needsYou > 0) return { text: needsYou === 1 ? '1 needs you' : `${needsYou} need you`, isUrgent: true };
    if (this.unreachable !== null && sending + encoding > 0) return { text: 'cannot be reached', isUrgent: true };
    if (sending > 0) return { text: `${sending} sending`, isUrgent: false };
    if (encoding > 0) return { text: `${encoding} encoding`, isUrgent: false };
    if (paused > 0) return { text: `${paused} paused`, isUrgent: false };
    return this.#watching > 0 ? { text: 'watching', isUrgent: false } : null;
  });
  /** What ends when it is removed, in a sentence; null where nothing does. */
  ends = $derived.by(() => {
    const { sending, paused, needsYou, encoding } = this.ingest.counts;
    const [unsent, folders] = [sending + paused + needsYou, this.watch.folders.length];
    const sentences: string[] = [];
    if (unsent > 0) sentences.push(`${unsent === 1 ? '1 file that is not sent yet is' : `${unsent} files that are not sent yet are`} given up, and what S3 has of ${unsent === 1 ? 'it' : 'them'} is deleted.`);
    if (encoding > 0) sentences.push(`${encoding === 1 ? '1 encode goes' : `${encoding} encodes go`} on in AWS.`);
    if (folders > 0) sentences.push(`${folders === 1 ? '1 folder is' : `${folders} folders are`} no longer watched.`);
    return sentences.length === 0 ? null : sentences.join(' ');
  });

  constructor(name: string) {
    this.backend = new WorkspaceBackend(name);
    this.ingest = new Ingest(this.backend);
    this.library = new Library(this.backend);
    this.jobs = new Jobs(this.backend);
    this.watch = new Watch(this.backend);
    this.viewers = new Viewers(this.backend);
    this.activity = new Activity(this.backend);
  }

  get name(): string {
    return this.backend.workspace;
  }

  /** Reads what its screens show. */
  async load(): Promise<void> {
    this.wasShown = true;
    await Promise.all([this.loadWork(), this.library.load(), this.jobs.load()]);
  }

  /** Reads what it does: enough for one that no window shows. */
  async loadWork(): Promise<void> {
    await Promise.all([this.ingest.load(), this.watch.load()]);
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
      case 'catalog':
        this.unreachable = null;
        this.library.hear(event.readAt);
        break;
      case 'edited':
        this.library.renew();
        break;
      case 'catalogFilling':
        this.library.hearOfReading(event.filling, event.error);
        break;
      case 'jobs':
        this.unreachable = null;
        this.jobs.hear(event.readAt);
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
        this.ingest.hearOfSignIn({ now: event.error });
        break;
      case 'signInEnds':
        this.ingest.hearOfSignIn({ soon: event.error });
        break;
      case 'limits':
        this.ingest.limits = event.limits;
        break;
      case 'resync':
        void (this.wasShown ? this.load() : this.loadWork());
        this.viewers.hear(this.viewers.reading);
        break;
    }
  }
}
