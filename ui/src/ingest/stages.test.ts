import { describe, expect, it } from 'vitest';

import type { Journey, Stage } from '../bindings';
import { bar, barStored, counts, detail, isSending, ticks, word } from './stages';

const journey = (stage: Stage, more: Partial<Journey> = {}): Journey => ({
  id: 'a', position: 1, batch: 1, priority: 0, path: '/a.mp4', watchFolder: null, title: 'a', tags: {}, sidecars: [], template: null, stage, size: 1000, sent: 0, stored: 0, speed: null, timeLeft: null, percent: null,
  notice: null, error: null, conflict: null, answers: { sameContent: null, sameName: null }, checksum: null, media: null, key: null, guid: null, jobId: null, hlsUrl: null, addedAt: 0, stageSince: 0, verifiedAt: null, completingAt: null, undo: null, deletedAt: null, insisted: false, ...more,
});

describe('a row', () => {
  it('never shows 100 % before S3 has verified the file', () => {
    expect(bar(journey('sending', { sent: 1000 }))).toBe(99);
    expect(bar(journey('finalising', { sent: 1000 }))).toBe(99);
    expect(bar(journey('verified', { sent: 1000 }))).toBeNull();
  });
  it('tells sent, verified and playable apart', () => {
    const states = (stage: Stage) => ticks(stage).map((tick) => tick.state);
    expect(states('sending')).toEqual(['now', 'to come', 'to come']);
    expect(states('verified')).toEqual(['done', 'done', 'now']);
    expect(states('playable')).toEqual(['done', 'done', 'done']);
  });
  it('tells what S3 has from what is on its way', () => {
    const sending = journey('sending', { sent: 600, stored: 400 });
    expect([barStored(sending), bar(sending)]).toEqual([40, 60]);
    expect(barStored(journey('encoding', { percent: 10, stored: 1000 }))).toBeNull();
  });
  it('keeps its bar while it is paused', () => {
    expect(bar(journey('paused', { sent: 500 }))).toBe(50);
    expect(detail(journey('paused', { sent: 500 }))).toBe('500 B of 1.00 kB sent');
    expect(isSending('paused')).toBe(false);
  });
  it('says what it does', () => {
    expect(word(journey('encoding', { percent: 37 }))).toBe('Encoding 37 %');
    expect(detail(journey('sending', { sent: 500, speed: 100, timeLeft: 5 }))).toBe('500 B of 1.00 kB, 100 B/s, about 5 s left');
    expect(detail(journey('sending', { notice: 'AWS did not answer. Retrying in 8 s.' }))).toBe('AWS did not answer. Retrying in 8 s.');
  });
});

describe('the tray', () => {
  it('sums what is being sent, and counts the rest', () => {
    const all = [
      journey('sending', { sent: 500, speed: 50, timeLeft: 10 }),
      journey('waiting'),
      journey('paused', { sent: 300 }),
      journey('queued'),
      journey('needsYou'),
      journey('needsYou', { error: { code: 'not-a-video', message: '', remedy: '', details: '' } }),
      journey('playable', { sent: 1000 }),
      journey('canceled'),
      journey('skipped'),
    ];
    expect(counts(all)).toEqual({ sending: 2, paused: 1, encoding: 1, needsYou: 2, stuck: 1, ended: 3, percent: 25, speed: 50, secondsLeft: 30 });
    expect(counts([]).secondsLeft).toBeNull();
  });
});
