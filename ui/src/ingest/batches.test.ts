import { describe, expect, it } from 'vitest';

import type { BatchSummary, Journey, Stage } from '../bindings';
import { batches, name, sentence } from './batches';

const journey = (batch: number, stage: Stage, path: string) => ({ id: path, batch, stage, path, title: path.split('/').pop() }) as Journey;
const summary = (more: Partial<BatchSummary>): BatchSummary => ({ batch: 1, watchFolder: null, title: null, files: 3, bytes: 0, seconds: 5, playable: 0, skipped: 0, needsYou: 0, canceled: 0, ...more });

describe('batches', () => {
  it('shows what is under way, and what has ended until it is dismissed', () => {
    const newestFirst = [journey(2, 'sending', '/b/2'), journey(2, 'playable', '/b/1'), journey(1, 'needsYou', '/a/2'), journey(1, 'playable', '/a/1')];
    const shown = batches(newestFirst, [summary({ batch: 1, needsYou: 1 }), summary({ batch: 2 })]);
    expect(shown.map((one) => [one.id, one.journeys.map((row) => row.id), one.summary !== null])).toEqual([
      [2, ['/b/2'], false],
      [1, ['/a/2'], true],
    ]);
    expect(batches(newestFirst, []).map((one) => one.id)).toEqual([2]);
  });
  it('names them by the folder that holds them all', () => {
    expect(name([journey(1, 'sending', '/films/dune.mov')])).toBe('dune.mov');
    expect(name([journey(1, 'sending', '/films/a/1.mov'), journey(1, 'sending', '/films/ab/2.mov')])).toBe('2 files from films');
    expect(name([journey(1, 'sending', 'C:\\films\\1.mov'), journey(1, 'sending', 'C:\\films\\2.mov')])).toBe('2 files from films');
    expect(name([journey(1, 'sending', '/a/1.mov'), journey(1, 'sending', '/b/2.mov')])).toBe('2 files');
  });
  it('says how they ended', () => {
    expect(sentence(summary({ playable: 2, needsYou: 1, bytes: 3_000_000, seconds: 130 }))).toBe('3 files: 2 playable, 1 needs you, 3.00 MB sent in 2 min');
    expect(sentence(summary({ title: 'Dune', files: 1, skipped: 1 }))).toBe('"Dune": skipped');
  });
});
