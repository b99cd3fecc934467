import { describe, expect, it } from 'vitest';

import { ago, bitrate, bytes, clock, left } from './format';

describe('format', () => {
  it('bytes', () => {
    expect([0, 999, 1000, 1_055_736, 999_600, 50e12].map(bytes)).toEqual(['0 B', '999 B', '1.00 kB', '1.06 MB', '1.00 MB', '50.0 TB']);
  });
  it('clock', () => {
    expect([5.28, 65, 3729].map(clock)).toEqual(['0:05', '1:05', '1:02:09']);
  });
  it('time left', () => {
    expect([5, 300, 5400].map(left)).toEqual(['about 5 s left', 'about 5 min left', 'about 1 h 30 min left']);
  });
  it('age', () => {
    expect([0, 30_000, 120_000, 7_200_000, 172_800_000].map((age) => ago(0, age))).toEqual(['just now', '30 s ago', '2 min ago', '2 h ago', '2 d ago']);
    expect(ago(Date.UTC(2024, 4, 15, 12), Date.UTC(2026, 0, 1))).toBe(new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }).format(Date.UTC(2024, 4, 15, 12)));
  });
  it('bit rate', () => {
    expect([400_000, 6_000_000].map(bitrate)).toEqual(['400 kb/s', '6.0 Mb/s']);
  });
});
