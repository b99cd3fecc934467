import type { FieldChange, Video, VideoDetails, VideoField } from '../bindings';
import { changesOf, isSame, local } from './fields';

interface Tag {
  name: string;
  value: string;
}

interface Sidecar {
  key: string;
  label: string;
}

/** What is typed of one video and not saved yet. */
export class Draft {
  title = $state('');
  description = $state('');
  tags = $state<Tag[]>([]);
  /** The files that go with it; those that are taken off are not among them. */
  sidecars = $state<Sidecar[]>([]);
  published = $state<'' | 'true' | 'false'>('');
  from = $state('');
  until = $state('');
  poster = $state<string | null>(null);
  /** The fields that someone else changed meanwhile, and what they are now. */
  theirs = $state.raw<FieldChange[]>([]);
  #base = $state.raw<VideoDetails>({ title: null, description: null, tags: {}, sidecars: {}, published: null, publishFrom: null, publishUntil: null, poster: null, trashedAt: null });
  /** Fields whose value is the other admin's, as was chosen. */
  #read = $state.raw<FieldChange[]>([]);
  changes = $derived.by(() => changesOf(this.#base, this, this.#read));

  constructor(video: Video) {
    this.take(video);
  }

  get isChanged(): boolean {
    return this.changes.length > 0;
  }

  /** Shows a video as it was read, and forgets what was typed. */
  take({ details }: Video): void {
    this.#base = details;
    this.#read = [];
    this.theirs = [];
    this.title = details.title ?? '';
    this.description = details.description ?? '';
    this.tags = Object.entries(details.tags).map(([name, value]) => ({ name, value }));
    this.sidecars = Object.entries(details.sidecars).map(([key, label]) => ({ key, label }));
    this.published = details.published === null ? '' : details.published ? 'true' : 'false';
    this.from = local(details.publishFrom);
    this.until = local(details.publishUntil);
    this.poster = details.poster;
  }

  /** Files were added and saved: what is typed stays. */
  takeSidecars({ details }: Video): void {
    const before = this.#base.sidecars;
    const typed = this.sidecars.filter(({ key, label }) => before[key] !== label);
    const isTakenOff = (key: string) => key in before && !this.sidecars.some((one) => one.key === key);
    const left = Object.entries(details.sidecars).filter(([key]) => !isTakenOff(key));
    this.sidecars = left.map(([key, label]) => typed.find((one) => one.key === key) ?? { key, label });
    this.#base = { ...this.#base, sidecars: details.sidecars };
  }

  /** Someone else was first: each of these fields is chosen between. */
  ask(theirs: FieldChange[]): void {
    this.theirs = theirs;
  }

  /** Keeps what is typed of a field, or takes theirs. */
  choose(change: FieldChange, isMine: boolean): void {
    this.theirs = this.theirs.filter((one) => one !== change);
    // From now on theirs is what was read.
    this.#read = [...this.#read.filter((one) => !isSame(one.field, change.field)), change];
    if (!isMine) this.#set(change.field, change.after);
  }

  #set(field: VideoField, value: string | null): void {
    const time = () => local(value === null ? null : Date.parse(value));
    switch (field.kind) {
      case 'title':
        this.title = value ?? '';
        break;
      case 'description':
        this.description = value ?? '';
        break;
      case 'published':
        this.published = value === 'true' || value === 'false' ? value : '';
        break;
      case 'publishFrom':
        this.from = time();
        break;
      case 'publishUntil':
        this.until = time();
        break;
      case 'poster':
        this.poster = value;
        break;
      case 'tag': {
        const others = this.tags.filter(({ name }) => name !== field.name);
        this.tags = value === null ? others : [...others, { name: field.name, value }];
        break;
      }
      case 'sidecar': {
        const others = this.sidecars.filter(({ key }) => key !== field.name);
        this.sidecars = value === null ? others : [...others, { key: field.name, label: value }];
        break;
      }
      case 'trashedAt':
        break;
    }
  }
}
