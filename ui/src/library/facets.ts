import type { Facet, Length, Publication, StatusKind, VideoResolution } from '../bindings';

const STATUS: Record<StatusKind, string> = {
  ingest: 'In the pipeline',
  encoding: 'Encoding',
  complete: 'Playable',
  error: 'Failed',
  canceled: 'Canceled',
  other: 'Other states',
};
const RESOLUTION: Record<VideoResolution, string> = { sd: 'SD', hd: 'HD (720)', 'full-hd': 'Full HD (1080)', uhd: 'UHD (2160)' };
const LENGTH: Record<Length, string> = {
  'under-a-minute': 'Under 1 min',
  'under-ten-minutes': '1 to 10 min',
  'under-an-hour': '10 to 60 min',
  'an-hour-and-more': '1 hour and more',
};

const PUBLICATION: Record<Publication, string> = { published: 'Published', timed: 'Published for a time', draft: 'Draft', unsaid: 'Not said' };

/** The name of a filter. */
export function facetName(facet: Facet): string {
  switch (facet.kind) {
    case 'status':
      return STATUS[facet.value];
    case 'resolution':
      return RESOLUTION[facet.value];
    case 'length':
      return LENGTH[facet.value];
    case 'publication':
      return PUBLICATION[facet.value];
    case 'trashed':
      return 'In the trash';
    case 'hdr':
      return 'HDR';
    case 'captions':
      return 'Captions';
    case 'shorter':
      return 'Shorter than its source';
    case 'attention':
      return 'Needs attention';
    case 'stuck':
      return 'Stuck: over a day in the pipeline';
    case 'tag':
      return facet.value.replace('=', ': ');
    case 'otherBucket':
    case 'workflow':
    case 'template':
      return facet.value;
  }
}

/** The groups of the filters, in their order. */
export const GROUPS: [kinds: Facet['kind'][], name: string][] = [
  [['status', 'stuck', 'attention'], 'State'],
  [['publication'], 'Published'],
  [['resolution', 'hdr'], 'Picture'],
  [['length', 'shorter'], 'Duration'],
  [['captions'], 'Captions'],
  [['workflow'], 'Workflow'],
  [['template'], 'Job template'],
  [['otherBucket'], 'Other source buckets'],
  [['tag'], 'Tags'],
];

/** A day's beginning, for a field of a date; empty for none. */
export const dayOf = (time: number | null) => {
  if (time === null) return '';
  const day = new Date(time);
  return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}-${String(day.getDate()).padStart(2, '0')}`;
};
/** When a day of such a field begins here, or the one after it. */
export const timeOf = (day: string, after = 0) => {
  const [year, month, date] = day.split('-').map(Number);
  const time = year === undefined || month === undefined || date === undefined ? Number.NaN : new Date(year, month - 1, date + after).getTime();
  return Number.isNaN(time) ? null : time;
};

export const isSameFacet = (one: Facet, other: Facet) => JSON.stringify(one) === JSON.stringify(other);

const status = (...kinds: StatusKind[]): Facet[] => kinds.map((value) => ({ kind: 'status', value }));

/** Views of the library that are always there. */
export const VIEWS: { name: string; facets: Facet[] }[] = [
  { name: 'All', facets: [] },
  { name: 'Playable', facets: status('complete') },
  { name: 'Needs attention', facets: [{ kind: 'attention' }] },
  { name: 'In progress', facets: status('ingest', 'encoding') },
  { name: 'Failed', facets: status('error', 'canceled') },
  { name: 'Drafts', facets: [{ kind: 'publication', value: 'draft' }] },
  { name: 'Trash', facets: [{ kind: 'trashed' }] },
];

/** Whether these filters are those of a view, in any order. */
export function isView(facets: Facet[], view: Facet[]): boolean {
  return facets.length === view.length && view.every((one) => facets.some((other) => isSameFacet(one, other)));
}
