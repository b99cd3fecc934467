import { expect, it } from 'vitest';

import type { Job } from '../bindings';
import { nameOf, speed, stateWords, worked } from './states';

const job: Job = {
  id: '1-a', state: 'progressing', phase: 'transcoding', percent: 37, guid: null, input: 's3://b/k/film.mov', template: null, queue: 'Default', submittedAt: 1000,
  startedAt: 11_000, finishedAt: null, duration: null, priority: 0, errorCode: null, errorMessage: null, failure: null, warnings: [],
};

it('says where a job stands', () => {
  expect(stateWords(job).text).toBe('Encoding 37 %');
  expect(stateWords({ ...job, percent: null }).text).toBe('Encoding, no percent from MediaConvert');
  expect(stateWords({ ...job, phase: null, percent: 0 }).text).toBe('Working 0 %');
  expect(stateWords({ ...job, state: 'error' })).toEqual({ text: 'Failed', tone: 'bad' });
});

it('is called after its source', () => {
  expect(nameOf(job)).toBe('film.mov');
  expect(nameOf({ ...job, input: null })).toBe('1-a');
  expect(nameOf({ ...job, input: 's3://b/' })).toBe('1-a');
});

it('tells how long it was worked on and how fast', () => {
  expect(worked(job, 71_000)).toBe(60);
  expect(worked({ ...job, state: 'submitted' }, 71_000)).toBeNull();
  expect(worked({ ...job, startedAt: null }, 71_000)).toBeNull();
  const done: Job = { ...job, state: 'complete', finishedAt: 71_000, duration: 90 };
  expect(speed(done)).toBe(1.5);
  expect(speed({ ...done, finishedAt: 11_000 })).toBeNull();
  expect(speed(job)).toBeNull();
});
