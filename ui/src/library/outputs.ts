import type { OutputKind } from '../bindings';

export const OUTPUT: Record<OutputKind, string> = {
  hls: 'HLS',
  dash: 'DASH',
  'cmaf-hls': 'CMAF (HLS)',
  'cmaf-dash': 'CMAF (DASH)',
  mss: 'Smooth Streaming',
  mp4: 'MP4',
  thumbnail: 'Picture',
  'media-package': 'MediaPackage',
};

/** An address in an attribute of HTML. */
const escaped = (url: string) => url.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
/** An argument of a shell. */
const quoted = (url: string) => `'${url.replaceAll("'", String.raw`'\''`)}'`;

/** A page's element that plays or shows it. */
export function embed(kind: OutputKind, url: string, title: string): string {
  if (kind === 'thumbnail') return `<img src="${escaped(url)}" alt="${escaped(title)}">`;
  return `<video controls src="${escaped(url)}" title="${escaped(title)}"></video>`;
}

/** The command that gets its first bytes. */
export const curl = (url: string) => `curl --fail --range 0-1023 --output - ${quoted(url)}`;

const MOST = 12;

/** The addresses of the pictures that were captured, some of them, by that of the last one: MediaConvert numbers them from 0
 * (`name.0000012.jpg`). */
export function frames(last: string): string[] {
  const found = /^(.*\.)(\d{7})(\.\w+)$/.exec(last);
  if (!found) return [last];
  const [, before = '', number = '', after = ''] = found;
  const count = Number(number) + 1;
  const places = count <= MOST ? Array.from({ length: count }, (_, index) => index) : Array.from({ length: MOST }, (_, index) => Math.round((index * (count - 1)) / (MOST - 1)));
  return places.map((place) => before + String(place).padStart(7, '0') + after);
}
