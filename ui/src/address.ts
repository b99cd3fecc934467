import type { Facet, Guid, VideoQuery, VideoSort } from './bindings';
import { SCREENS, type ScreenName } from './router.svelte';

/** Where one is: what stands behind the `#` of the window's address. */
export interface Place {
  screen: ScreenName;
  opened: Guid | null;
  /** What the Library is looked through for. */
  query: VideoQuery;
}

const SORTS: VideoSort[] = ['started', 'title', 'duration', 'match'];

/** The address of a place, such as `#/library?q=night&f={"kind":"hdr"}&open=GUID`. */
export function addressOf({ screen, opened, query }: Place): string {
  const parts = new URLSearchParams();
  if (screen === 'library') {
    if (query.text !== '') parts.set('q', query.text);
    for (const facet of query.facets) parts.append('f', JSON.stringify(facet));
    if (query.from !== null) parts.set('from', new Date(query.from).toISOString());
    if (query.until !== null) parts.set('until', new Date(query.until).toISOString());
    if (query.sort !== 'started' || !query.descending) parts.set('sort', `${query.sort}${query.descending ? '-descending' : ''}`);
    if (opened !== null) parts.set('open', opened);
  }
  return parts.size === 0 ? `#/${screen}` : `#/${screen}?${parts}`;
}

function timeOf(text: string | null): number | null {
  const time = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

function facetOf(text: string): Facet[] {
  try {
    const facet: unknown = JSON.parse(text);
    return typeof facet === 'object' && facet !== null && 'kind' in facet ? [facet as Facet] : [];
  } catch {
    return [];
  }
}

/** The place of an address; null where it is none. */
export function placeOf(address: string): Place | null {
  const [, name, rest] = /^#\/(\w+)(?:\?(.*))?$/.exec(address) ?? [];
  const screen = SCREENS.find((one) => one === name);
  if (screen === undefined) return null;
  const parts = new URLSearchParams(rest ?? '');
  const [sort, order] = (parts.get('sort') ?? 'started-descending').split('-');
  return {
    screen,
    opened: parts.get('open'),
    query: { text: parts.get('q') ?? '', facets: parts.getAll('f').flatMap(facetOf), from: timeOf(parts.get('from')), until: timeOf(parts.get('until')), sort: SORTS.find((one) => one === sort) ?? 'started', descending: order === 'descending' },
  };
}

/** Whether only what is typed differs: that is no step that one goes back. */
export function isTyping(one: string, other: string): boolean {
  const [before, after] = [placeOf(one), placeOf(other)];
  const without = (place: Place) => addressOf({ ...place, query: { ...place.query, text: '' } });
  return before !== null && after !== null && before.query.text !== '' && after.query.text !== '' && without(before) === without(after);
}
