import { SvelteMap } from 'svelte/reactivity';

import * as backend from '../backend';
import type { Error, Exported, Facet, Filling, Guid, ImportPreview, MirrorAge, SavedView, Video, VideoCounts, VideoPatch, VideoQuery, VideoSelection, VideoSort, VideoSummary } from '../bindings';
import { Rows } from '../shared/rows.svelte';
import { Selection } from '../shared/selection.svelte';
import { Draft } from './draft.svelte';
import { Edits } from './edits.svelte';
import { isSameFacet } from './facets';

/** How soon the counts follow the rows: never in their way. */
const COUNT_AFTER_MS = 150;
/** How soon a change is shown, so that many are shown at once. */
const SOON_MS = 200;

/** The catalog as this computer knows it: what is looked for in it, and the rows in sight. */
export class Library {
  readonly rows: Rows<VideoQuery, VideoSummary>;
  readonly selected: Selection<VideoQuery, VideoSummary>;
  readonly edits: Edits;
  query = $state.raw<VideoQuery>({ text: '', facets: [], from: null, until: null, sort: 'started', descending: true });
  counts = $state.raw<VideoCounts | null>(null);
  /** What the counts are of. */
  #counted = $state.raw<VideoQuery | null>(null);
  /** Whether the counts are of what is looked for now. */
  isCounted = $derived.by(() => this.#counted === this.query);
  age = $state.raw<MirrorAge | null>(null);
  filling = $state.raw<Filling | null>(null);
  error = $state.raw<Error | null>(null);
  /** Why not all of the table could be read. */
  incomplete = $state.raw<Error | null>(null);
  /** Newer videos than those in the list, which wait until someone wants to see them. */
  newer = $state(0);
  /** Someone points at the list or stands in it: nothing may move there. */
  isWatched = false;
  isNarrowed = $derived.by(() => this.query.text.trim() !== '' || this.query.facets.length > 0 || this.query.from !== null || this.query.until !== null);
  /** Views that someone saved. */
  views = $state.raw<SavedView[]>([]);
  /** Titles that are like what is looked for, where nothing is found. */
  nearest = $state.raw<string[]>([]);
  /** Why nothing can be changed here. */
  whyNot = $state.raw<Error | null>(null);
  /** What is done with the chosen ones beside the list. */
  panel = $state<'edit' | 'purge' | 'import' | null>(null);
  /** A list of videos that was chosen, and what it would change. */
  importing = $state.raw<{ list: string; preview: ImportPreview } | null>(null);
  /** What was written into a file. */
  exported = $state.raw<Exported | null>(null);
  isTrash = $derived.by(() => this.query.facets.some(({ kind }) => kind === 'trashed'));
  /** What was typed of videos and not saved yet. */
  #drafts = new SvelteMap<Guid, Draft>();
  #pictures = new SvelteMap<string, string>();
  /** What is meant by all, once all are chosen. */
  #all = $state.raw<VideoQuery | null>(null);
  /** The newest of the list began before this time. */
  #until: number | null = null;
  /** What the rows are of, without that time. */
  #shown: VideoQuery | null = null;
  #isDue = false;
  #counting: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly backend: backend.WorkspaceBackend) {
    this.rows = new Rows(async (query, first, most) => {
      const { videos: rows } = await backend.findVideos(query, first, most);
      void this.#showPictures(rows);
      return { rows };
    });
    this.selected = new Selection(this.rows, (video) => video.guid);
    this.edits = new Edits(backend);
  }

  /** Shows what the mirror has. */
  async load(): Promise<void> {
    this.error = null;
    this.#until = null;
    try {
      this.age = await this.backend.mirrorAge();
      await this.#show();
      void backend.views().then((views) => (this.views = views), () => undefined);
      // Nobody waits for it: without a line it takes long.
      void this.backend.whyNotEdit().then((whyNot) => (this.whyNot = whyNot), () => undefined);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  }

  /** The mirror was compared with the table. */
  hear(readAt: number): void {
    this.age = { readAt, sweptAt: this.age?.sweptAt ?? null };
    this.#soon();
  }

  /** The table is being read through, or was. */
  hearOfReading(filling: Filling | null, error: Error | null): void {
    this.filling = filling;
    this.incomplete = error;
    if (filling === null) void this.backend.mirrorAge().then((age) => (this.age = age), () => undefined);
    this.#soon();
  }

  readonly look = (change: Partial<VideoQuery>) => {
    this.query = { ...this.query, ...change };
    this.#until = null;
    this.selected.clear();
    this.panel = null;
    void this.#show().catch((thrown) => (this.error = backend.asError(thrown)));
  };
  readonly toggle = (facet: Facet) => {
    const without = this.query.facets.filter((one) => !isSameFacet(one, facet));
    this.look({ facets: without.length < this.query.facets.length ? without : [...without, facet] });
  };
  readonly sortBy = (sort: VideoSort) => this.look({ sort, descending: this.query.sort === sort ? !this.query.descending : sort === 'started' });
  /** Shows the newer ones, too. */
  readonly showNewer = () => this.look({});

  /** Videos were changed here. */
  renew(): void {
    this.#soon();
  }

  /** Those that are chosen. */
  get selection(): VideoSelection {
    return this.selected.hasAll && this.#all !== null ? { kind: 'matching', query: this.#all } : { kind: 'these', guids: [...this.selected.keys] };
  }
  /** Chooses all that is listed now: what comes later is not meant. */
  readonly chooseAll = () => {
    this.#all = { ...this.query, until: this.query.until ?? this.#until ?? (Math.floor(Date.now() / 1000) + 1) * 1000 };
    this.selected.chooseAll();
  };
  /** Changes those that are chosen alike. */
  readonly change = (patch: Partial<VideoPatch>, title: (whom: string) => string) => {
    if (this.edits.busy) return Promise.resolve(false);
    const { count } = this.selected;
    const { selection } = this;
    this.selected.clear();
    this.panel = null;
    return this.edits.act(selection, count, patch, title(count === 1 ? '1 video' : `${count.toLocaleString()} videos`));
  };

  /** Saves what is listed as a view; or lets go of one, without an address. */
  readonly saveView = async (name: string, address: string | null) => {
    try {
      this.views = await backend.saveView(name, address);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };

  /** Writes what is chosen, or all that is listed, into a file. */
  readonly export = async () => {
    this.exported = null;
    try {
      const selection: VideoSelection = this.selected.count > 0 ? this.selection : { kind: 'matching', query: this.query };
      this.exported = await this.backend.exportVideos(selection);
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };
  /** Asks for a list of videos, and shows what it would change. */
  readonly chooseList = async () => {
    try {
      const list = await backend.chooseVideoList();
      if (list === null) return;
      this.importing = { list, preview: await this.backend.previewImport(list) };
      this.panel = 'import';
    } catch (thrown) {
      this.error = backend.asError(thrown);
    }
  };
  readonly import = () => {
    const { importing } = this;
    if (this.edits.busy) return Promise.resolve(false);
    this.panel = null;
    this.importing = null;
    if (importing === null) return Promise.resolve(false);
    const count = importing.preview.changed;
    return this.edits.begin(`Import ${count === 1 ? '1 video' : `${count.toLocaleString()} videos`}`, count, (hear) => this.backend.importVideos(importing.list, hear));
  };

  /** What is typed of a video: it stays while others are looked at. */
  draftOf(video: Video): Draft {
    const draft = this.#drafts.get(video.guid) ?? new Draft(video);
    this.#drafts.set(video.guid, draft);
    if (!draft.isChanged && draft.theirs.length === 0) draft.take(video);
    return draft;
  }

  /** The addresses, for the window, of pictures. */
  async pictures(stored: string[]): Promise<(string | null)[]> {
    return this.backend.localUrls(stored);
  }

  /** Where the window can load the video's picture from, once it is known. */
  picture(video: VideoSummary): string | undefined {
    return video.thumbnailUrl === null ? undefined : this.#pictures.get(video.thumbnailUrl);
  }

  /** These are in sight: what others change of them is told within seconds. */
  readonly see = (guids: string[]) => void this.backend.setInSight(guids).catch(() => undefined);

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      void this.#renew().catch(() => undefined);
    }, SOON_MS);
  }

  /** What is listed, as it is now; what is newer waits where someone looks at the list. */
  async #renew(): Promise<void> {
    if (!this.isWatched || this.#until === null) {
      this.#until = null;
      return this.#show();
    }
    const asked = this.query;
    const { found } = asked.until !== null ? { found: 0 } : await this.backend.countVideos({ ...asked, from: Math.max(asked.from ?? this.#until, this.#until) });
    if (asked !== this.query) return;
    this.newer = found;
    await this.#show();
  }

  async #show(): Promise<void> {
    const asked = this.query;
    if (this.#until === null) this.newer = 0;
    const listed = { ...asked, until: asked.until ?? this.#until };
    const before = this.#shown;
    const isLike = (less: Partial<VideoQuery>) => before !== null && JSON.stringify({ ...before, ...less }) === JSON.stringify({ ...asked, ...less });
    if (!(await this.rows.show(listed, isLike({}), isLike({ sort: 'title', descending: true })))) return;
    this.#shown = asked;
    this.error = null;
    this.nearest = [];
    if (this.rows.total === 0 && asked.text.trim() !== '') {
      const nearest = await this.backend.nearestTitles(listed);
      if (asked === this.query) this.nearest = nearest;
    }
    if (asked.sort === 'started' && asked.descending) this.#until ??= this.#newest();
    clearTimeout(this.#counting);
    this.#counting = setTimeout(() => void this.#count(listed, asked).catch((thrown) => (this.error = backend.asError(thrown))), this.counts === null ? 0 : COUNT_AFTER_MS);
  }

  /** The first full second behind the newest of the list. */
  #newest(): number | null {
    const started = this.rows.at(0)?.startedAt ?? null;
    return started === null ? null : (Math.floor(started / 1000) + 1) * 1000;
  }

  async #count(query: VideoQuery, asked: VideoQuery): Promise<void> {
    const counts = await this.backend.countVideos(query);
    if (this.rows.of !== query) return;
    this.counts = counts;
    this.#counted = asked;
    this.rows.total = counts.found;
  }

  async #showPictures(videos: VideoSummary[]): Promise<void> {
    const stored = videos.map((video) => video.thumbnailUrl).filter((url) => url !== null && !this.#pictures.has(url)) as string[];
    if (stored.length === 0) return;
    const local = await this.backend.localUrls(stored);
    stored.forEach((url, index) => {
      const found = local[index];
      if (found) this.#pictures.set(url, found);
    });
  }
}
