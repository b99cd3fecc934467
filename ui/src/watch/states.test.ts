import { describe, expect, it } from 'vitest';

import type { FileState } from '../bindings';
import { canInsist, fileWords } from './states';

describe('states of watched files', () => {
  const words = (state: FileState) => fileWords(state, 10_000).text;
  it('count down', () => {
    expect(words({ kind: 'settling', until: 12_400 })).toBe('Settling 3 s');
    expect(words({ kind: 'settling', until: 9_000 })).toBe('Settling 1 s');
  });
  it('say what is missing', () => {
    expect(words({ kind: 'incomplete', missing: { kind: 'noIndex', index: 'moov' } })).toBe('Waiting for moov');
    expect(words({ kind: 'incomplete', missing: { kind: 'cutOff', has: 12_300_000, wants: 40_000_000 } })).toBe('Cut off: 12.3 MB of at least 40.0 MB');
  });
  it('may be taken as they are', () => {
    const file = (state: FileState) => ({ path: 'a.mp4', size: 1, state });
    expect(canInsist(file({ kind: 'held' }))).toBe(true);
    expect(canInsist(file({ kind: 'incomplete', missing: { kind: 'empty' } }))).toBe(false);
    expect(canInsist(file({ kind: 'growing' }))).toBe(false);
  });
});
