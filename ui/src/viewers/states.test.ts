import { describe, expect, it } from 'vitest';

import type { PoolFacts } from '../bindings';
import { runWords, stateWords, warnings, whyNoResend, whyNoReset } from './states';

const DAY = 24 * 60 * 60 * 1000;

describe('viewers', () => {
  it('tell when invitations end', () => {
    const words = (left: number) => stateWords({ kind: 'invited', expiresAt: left }, 0).text;
    expect([words(3 * DAY + 5000), words(2.2 * DAY), words(DAY / 3)]).toEqual(['Invited, expires in 3 days', 'Invited, expires in 3 days', 'Invited, expires within a day']);
  });
  it('warn of the small quota of mail only where it matters', () => {
    const facts = { hasSmallMailQuota: true, mailsLeft: 50, isOpenToAll: false } as PoolFacts;
    expect(warnings(facts, 50)).toEqual([]);
    expect(warnings(facts, 51)).toHaveLength(1);
    expect(warnings({ ...facts, mailsLeft: null, isOpenToAll: true }, 900)).toEqual(['Anyone may sign up to this pool without an invitation.']);
  });
  it('say why an invitation is not sent again', () => {
    expect(whyNoResend('invitationExpired')).toBeNull();
    expect(whyNoResend('active')).toContain('reset the password');
    expect(whyNoReset('active')).toBeNull();
    expect(whyNoReset('invited')).toContain('send the invitation again');
  });
  it('sum up what became of many', () => {
    const run = { run: '', of: 9, done: 5, unchanged: 1, failed: 1, canBeUndone: true };
    expect(runWords(run)).toBe('5 done, 1 was so already, 1 failed, 2 not tried');
    expect(runWords({ ...run, of: 1, done: 1, unchanged: 0, failed: 0 })).toBe('done');
  });
});
