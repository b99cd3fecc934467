import type { LibraryLayout, VideoSort, VideoSummary } from '../bindings';
import { ago, clock } from '../shared/format';

export type ColumnName = 'status' | 'duration' | 'size' | 'age' | 'ended' | 'file' | 'tags' | 'description' | 'workflow' | 'template' | 'guid';

export interface Column {
  name: ColumnName;
  label: string;
  /** Its width, in rem. */
  width: number;
  sort: VideoSort | null;
  isNumber: boolean;
  text: (video: VideoSummary, now: number) => string;
  /** What else is to be known, where one points. */
  more?: (video: VideoSummary) => string | undefined;
}

const column = (name: ColumnName, label: string, width: number, text: Column['text'], more: Partial<Column> = {}): Column => ({ name, label, width, text, sort: null, isNumber: false, ...more });
const when = (time: number | null) => (time === null ? undefined : new Date(time).toLocaleString());

/** What a list can show of a video, in its order. The state is drawn by itself. */
export const COLUMNS: Column[] = [
  column('status', 'State', 9.5, () => ''),
  column('duration', 'Duration', 4.5, (video) => (video.duration === null ? '' : clock(video.duration)), { sort: 'duration', isNumber: true }),
  column('size', 'Size', 6, (video) => (video.width === null || video.height === null ? '' : `${video.width} × ${video.height}`), { isNumber: true }),
  column('age', 'Added', 6, (video, now) => (video.startedAt === null ? '' : ago(video.startedAt, now)), { sort: 'started', isNumber: true, more: (video) => when(video.startedAt) }),
  column('ended', 'Ended', 6, (video, now) => (video.endedAt === null ? '' : ago(video.endedAt, now)), { isNumber: true, more: (video) => when(video.endedAt) }),
  column('file', 'File', 12, (video) => video.srcVideo?.split('/').pop() ?? '', { more: (video) => video.srcVideo ?? undefined }),
  column('tags', 'Tags', 12, (video) => Object.entries(video.details.tags).map(([name, value]) => (value === '' ? name : `${name}: ${value}`)).join(', ')),
  column('description', 'Description', 14, (video) => video.details.description ?? ''),
  column('workflow', 'Workflow', 8, (video) => video.workflow ?? ''),
  column('template', 'Template', 12, (video) => video.jobTemplate ?? ''),
  column('guid', 'Guid', 20, (video) => video.guid),
];
const DEFAULT: ColumnName[] = ['status', 'duration', 'size', 'age'];
/** In rem: the tick, the least of the title, what is between columns, and what is beside them. */
const [TICK, TITLE, GAP, PADDING] = [1.5, 10, 0.75, 1];
/** Below this width, in rem, the state stands in a line of its own. */
const NARROW = 34;

/** How the Library shows its videos. */
export class Layout {
  kind = $state<'list' | 'posters'>('list');
  names = $state.raw<ColumnName[]>(DEFAULT);
  columns = $derived.by(() => COLUMNS.filter(({ name }) => this.names.includes(name)));

  /** `keep` writes what is chosen where the next start finds it. */
  constructor(private readonly keep: (layout: LibraryLayout) => Promise<unknown>) {}

  /** Takes what was kept; names that are none are left out. */
  take({ posters, columns }: LibraryLayout): void {
    this.kind = posters ? 'posters' : 'list';
    this.names = columns ? COLUMNS.map(({ name }) => name).filter((name) => columns.includes(name)) : DEFAULT;
  }

  readonly show = (kind: 'list' | 'posters') => {
    this.kind = kind;
    this.#keep();
  };
  readonly toggle = (name: ColumnName) => {
    this.names = this.names.includes(name) ? this.names.filter((one) => one !== name) : [...this.names, name];
    this.#keep();
  };

  /** Whether so many rem are few. */
  static isNarrow(width: number): boolean {
    return width < NARROW;
  }
  /** The columns that find room in so many rem, and their widths for CSS. */
  fitting(width: number): { columns: Column[]; template: string } {
    let left = width - TICK - TITLE - GAP - PADDING;
    const columns: Column[] = [];
    for (const one of this.columns) {
      if (Layout.isNarrow(width) && one.name !== 'age') continue;
      left -= one.width + GAP;
      if (left < 0) break;
      columns.push(one);
    }
    return { columns, template: [`${TICK}rem`, `minmax(${Layout.isNarrow(width) ? 0 : TITLE}rem, 1fr)`, ...columns.map((one) => `${one.width}rem`)].join(' ') };
  }

  #keep(): void {
    // What is on the screen stays so, whether it can be kept or not.
    void this.keep({ posters: this.kind === 'posters', columns: this.names }).catch(() => undefined);
  }
}
