import type { Video } from '../bindings';

export type Tone = 'good' | 'bad' | 'working';

/** The catalog's status in words, and its tone. */
export function describe({ status, isShorter, isStuck }: Pick<Video, 'status' | 'isShorter' | 'isStuck'>): { text: string; tone: Tone } {
  switch (status.kind) {
    case 'complete':
      if (isShorter) return { text: 'Shorter than its source', tone: 'bad' };
      return { text: 'Playable', tone: 'good' };
    case 'error':
      return { text: 'Failed', tone: 'bad' };
    case 'canceled':
      return { text: 'Canceled', tone: 'bad' };
    case 'encoding':
      if (isStuck) return { text: 'Stuck', tone: 'bad' };
      return { text: 'Encoding', tone: 'working' };
    case 'ingest':
      if (isStuck) return { text: 'Stuck', tone: 'bad' };
      return { text: 'In the pipeline', tone: 'working' };
    case 'other':
      return { text: status.word, tone: 'working' };
  }
}
