import { expect, test } from 'vitest';

import type { Finding } from '../bindings';
import { request, verdict } from './check';

const works: Finding = { area: 'upload', title: 'Send a file', outcome: 'works', note: '' };
const advice: Finding = { area: 'upload', title: 'Clean-up', outcome: 'advice', message: 'm', remedy: 'r' };
const denied: Finding = {
  area: 'encoding',
  title: 'List the jobs',
  outcome: 'denied',
  missing: { action: 'mediaconvert:ListJobs', resources: ['*'], why: 'Follows the encoding' },
  details: '',
};

test('the verdict counts what needs someone', () => {
  expect(verdict([works])).toBe('Everything works');
  expect(verdict([works, advice])).toBe('Everything works; 1 piece of advice');
  expect(verdict([works, advice, denied])).toBe('1 thing needs you');
});

test('the engineer is asked for what is missing, and for nothing else', () => {
  expect(request('production', [works, advice])).toBe('');
  expect(request('production', [works, denied])).toContain('- mediaconvert:ListJobs on * (Follows the encoding)');
});
