import { expect, test } from 'vitest';

import type { Finding } from '../bindings';
import { faster, request, verdict } from './check';

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

test('the faster way is named, and a little more is none', () => {
  expect(faster({ straight: 2_000_000, accelerated: 5_000_000 })).toBe('From here uploads are 2.5 times as fast with it: 5.00 MB/s with Transfer Acceleration, 2.00 MB/s without.');
  expect(faster({ straight: 5_000_000, accelerated: 2_500_000 })).toContain('2.0 times as fast without it');
  expect(faster({ straight: 5_000_000, accelerated: 5_300_000 })).toContain('equally fast');
});
