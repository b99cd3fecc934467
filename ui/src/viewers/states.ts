// The states of viewers in words.
import type { Invited, PoolFacts, Viewer, ViewerState } from '../bindings';

const DAY = 24 * 60 * 60 * 1000;

export type Tone = 'good' | 'bad' | 'working' | 'quiet';

/** The state of an account; `now` in milliseconds since the epoch. */
export function stateWords(state: ViewerState, now: number): { text: string; tone: Tone } {
  switch (state.kind) {
    case 'invited': {
      const days = Math.ceil((state.expiresAt - now) / DAY);
      return { text: days <= 1 ? 'Invited, expires within a day' : `Invited, expires in ${days} days`, tone: 'working' };
    }
    case 'invitationExpired':
      return { text: 'Invitation expired', tone: 'bad' };
    case 'active':
      return { text: 'Active', tone: 'good' };
    case 'mustReset':
      return { text: 'Must reset', tone: 'working' };
    case 'disabled':
      return { text: 'Disabled', tone: 'quiet' };
    case 'external':
      return { text: 'From an identity provider', tone: 'good' };
    case 'unconfirmed':
      return { text: 'Has not confirmed', tone: 'working' };
    case 'unknown':
      return { text: 'Not known here', tone: 'quiet' };
  }
}

/** What the list and the commands call an account by. */
export const addressOf = (viewer: Viewer) => viewer.email ?? viewer.username;

/** What is worth knowing of the pool before inviting so many. */
export function warnings(facts: PoolFacts, inviting: number): string[] {
  const all = [];
  if (facts.hasSmallMailQuota && inviting > 50) all.push(`This pool sends its mail by Cognito's own sender, which is 50 a day: ${inviting} invitations are more. Let the engineer connect it to Amazon SES, or invite without a mail.`);
  if (facts.isOpenToAll) all.push('Anyone may sign up to this pool by oneself.');
  return all;
}

export function invitedWords(invited: Invited): { text: string; tone: Tone } {
  switch (invited.kind) {
    case 'sent':
      return { text: 'Invited', tone: 'good' };
    case 'handOver':
      return { text: `Temporary password: ${invited.password}`, tone: 'good' };
    case 'wasThere':
      return { text: 'Is there already, and got nothing', tone: 'quiet' };
    case 'failed':
      return { text: `${invited.error.message} ${invited.error.remedy}`, tone: 'bad' };
  }
}
