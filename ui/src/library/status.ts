import type { Status } from '../bindings';

export type Tone = 'good' | 'bad' | 'working';

/** The catalog's status in words, and its tone. */
export function describe(status: Status): { text: string; tone: Tone } {
  switch (status.kind) {
    case 'complete':
      return { text: 'Playable', tone: 'good' };
    case 'error':
      return { text: 'Failed', tone: 'bad' };
    case 'encoding':
      return { text: 'Encoding', tone: 'working' };
    case 'ingest':
      return { text: 'In the pipeline', tone: 'working' };
    case 'other':
      return { text: status.word, tone: 'working' };
  }
}
