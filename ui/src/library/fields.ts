import type { FieldChange, VideoDetails, VideoField } from '../bindings';

/** A time as the core writes it. */
export const iso = (time: number | null) => (time === null || Number.isNaN(new Date(time).getTime()) ? null : new Date(time).toISOString().replace(/\.000Z$/, 'Z').replace(/(\.\d*?)0+Z$/, '$1Z'));
/** A time as a field for local times has it, to the minute. */
export function local(time: number | null): string {
  // Another tool may have written a time that no date can be.
  if (time === null || Number.isNaN(new Date(time).getTime())) return '';
  const at = new Date(time);
  return new Date(time - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
/** What is typed, without blanks around it; what was not touched keeps them. */
const kept = (text: string, before: string | null) => (text === (before ?? '') ? before : text.trim() === '' ? null : text.trim());

export const isSame = (one: VideoField, other: VideoField) => JSON.stringify(one) === JSON.stringify(other);

/** What is typed of one video. */
interface Typed {
  title: string;
  description: string;
  tags: { name: string; value: string }[];
  sidecars: { key: string; label: string }[];
  published: '' | 'true' | 'false';
  from: string;
  until: string;
  poster: string | null;
}

/** What was changed of a video that was read. `read` are fields that were read again since, with what they are now. */
export function changesOf(base: VideoDetails, typed: Typed, read: FieldChange[]): FieldChange[] {
  // What was not touched keeps its seconds.
  const time = (text: string, before: number | null) => (text === local(before) ? iso(before) : text === '' ? null : iso(new Date(text).getTime()));
  const tag = ({ name, value }: Typed['tags'][number]) => (base.tags[name] === value ? ([name, value] as const) : ([name in base.tags ? name : name.trim(), value.trim()] as const));
  const tags = new Map(typed.tags.map(tag).filter(([name]) => name !== ''));
  const labels = new Map(typed.sidecars.map(({ key, label }) => [key, base.sidecars[key] === label ? label : label.trim()]));
  const names = [...new Set([...Object.keys(base.tags), ...tags.keys()])];
  const all: [field: VideoField, before: string | null, after: string | null][] = [
    [{ kind: 'title' }, base.title, kept(typed.title, base.title)],
    [{ kind: 'description' }, base.description, kept(typed.description, base.description)],
    [{ kind: 'published' }, base.published === null ? null : String(base.published), typed.published || null],
    [{ kind: 'publishFrom' }, iso(base.publishFrom), time(typed.from, base.publishFrom)],
    [{ kind: 'publishUntil' }, iso(base.publishUntil), time(typed.until, base.publishUntil)],
    [{ kind: 'poster' }, base.poster, typed.poster],
    ...names.map((name) => [{ kind: 'tag', name }, base.tags[name] ?? null, tags.get(name) ?? null] as [VideoField, string | null, string | null]),
    ...[...new Set([...Object.keys(base.sidecars), ...labels.keys()])].map((key) => [{ kind: 'sidecar', name: key }, base.sidecars[key] ?? null, labels.get(key) ?? null] as [VideoField, string | null, string | null]),
  ];
  return all
    .filter(([, before, after]) => before !== after)
    .map(([field, before, after]) => {
      const again = read.find((one) => isSame(one.field, field));
      if (again === undefined) return { field, before, after };
      // What was taken of theirs keeps its seconds, too.
      const isTime = field.kind === 'publishFrom' || field.kind === 'publishUntil';
      const isTheirs = isTime && again.after !== null && after !== null && local(Date.parse(after)) === local(Date.parse(again.after));
      return { field, before: again.after, after: isTheirs ? again.after : after };
    })
    .filter(({ before, after }) => before !== after);
}

/** The last part of a key. */
export const fileName = (key: string) => key.split('/').pop() ?? key;
/** The language that a key of subtitles says: `films/a.en.vtt`. */
export const languageOf = (key: string) => /\.([a-z]{2,3}(?:-[a-z0-9]{1,8})*)\.[^.]+$/i.exec(fileName(key))?.[1] ?? null;

/** The name of a field. */
export function fieldName(field: VideoField): string {
  switch (field.kind) {
    case 'title':
      return 'Title';
    case 'description':
      return 'Description';
    case 'tag':
      return `Tag ${field.name}`;
    case 'sidecar':
      return `File ${fileName(field.name)}`;
    case 'published':
      return 'Published';
    case 'publishFrom':
      return 'Published from';
    case 'publishUntil':
      return 'Published until';
    case 'poster':
      return 'Poster';
    case 'trashedAt':
      return 'Moved to the trash';
  }
}

/** A value of a field, as people read it. */
export function fieldValue(field: VideoField, value: string | null): string {
  if (value === null) return 'nothing';
  if (field.kind === 'published') return value === 'true' ? 'Published' : 'Draft';
  if (field.kind === 'publishFrom' || field.kind === 'publishUntil' || field.kind === 'trashedAt') return new Date(value).toLocaleString();
  if (field.kind === 'poster') return fileName(value);
  if (field.kind === 'sidecar') return value === '' ? '(no label)' : value;
  return value === '' ? '(no value)' : value;
}
