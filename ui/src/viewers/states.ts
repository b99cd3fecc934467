// The states of viewers, and what is done with them, in words.
import type { ViewerAction, Invited, LogEntry, PoolFacts, RunSummary, StateKind, Viewer, ViewerState } from '../bindings';

const DAY = 24 * 60 * 60 * 1000;
/** Clocks differ, and the time on the screen is a few seconds old: what was just sent is good for 7 days, not 8. */
const CLOCKS = 60_000;

export type Tone = 'good' | 'bad' | 'working' | 'quiet';

/** The names of the states, in the order of the filter. */
export const STATES: [StateKind, string][] = [
  ['invited', 'Invited'],
  ['invitationExpired', 'Invitation expired'],
  ['active', 'Active'],
  ['mustReset', 'Must reset'],
  ['disabled', 'Disabled'],
  ['external', 'From an identity provider'],
  ['unconfirmed', 'Has not confirmed'],
  ['unknown', 'Not known here'],
];

const TONES: Record<StateKind, Tone> = {
  invited: 'working',
  invitationExpired: 'bad',
  active: 'good',
  mustReset: 'working',
  disabled: 'quiet',
  external: 'good',
  unconfirmed: 'working',
  unknown: 'quiet',
};

/** The state of an account; `now` in milliseconds since the epoch. */
export function stateWords(state: ViewerState, now: number): { text: string; tone: Tone } {
  const tone = TONES[state.kind];
  if (state.kind !== 'invited') return { text: STATES.find(([kind]) => kind === state.kind)?.[1] ?? '', tone };
  const days = Math.ceil((state.expiresAt - now - CLOCKS) / DAY);
  return { text: days <= 1 ? 'Invited, expires within a day' : `Invited, expires in ${days} days`, tone };
}

/** What the list and the commands call an account by. */
export const addressOf = (viewer: Viewer) => viewer.email ?? viewer.username;

/** Why Cognito would not send this one an invitation again; none where it would. */
export function whyNoResend(kind: StateKind): string | null {
  switch (kind) {
    case 'invited':
    case 'invitationExpired':
      return null;
    case 'active':
    case 'mustReset':
      return 'Has signed in already: reset the password instead';
    case 'external':
      return 'Signs in with an identity provider, which knows the password';
    case 'disabled':
      return 'Is disabled: enable first';
    case 'unconfirmed':
      return 'Signed up without an invitation';
    case 'unknown':
      return 'Its state is not known here';
  }
}

/** Why there is no password to reset; none where there is. */
export function whyNoReset(kind: StateKind): string | null {
  if (kind === 'active' || kind === 'mustReset') return null;
  if (kind === 'invited' || kind === 'invitationExpired') return 'Has no password yet: send the invitation again instead';
  return whyNoResend(kind);
}

/** What an act does with whom, in words. */
export function actWords(act: ViewerAction, whom: string): string {
  switch (act.kind) {
    case 'resend':
      return `Send the invitation of ${whom} again`;
    case 'invite-anew':
      return `Delete ${whom} and invite anew`;
    case 'enable':
      return `Enable ${whom}`;
    case 'disable':
      return `Disable ${whom}`;
    case 'sign-out':
      return `Sign out ${whom}`;
    case 'reset':
      return `Reset the password of ${whom}`;
    case 'remove':
      return `Remove ${whom}`;
    case 'add-to':
      return `Put ${whom} into "${act.group}"`;
    case 'take-out':
      return `Take ${whom} out of "${act.group}"`;
    case 'edit':
      return `Change ${whom}`;
  }
}

const DONE: Record<string, string> = {
  invite: 'invited',
  'invite-silently': 'invited without a mail',
  resend: 'invited again',
  'invite-anew': 'deleted and invited anew',
  enable: 'enabled',
  disable: 'disabled',
  'sign-out': 'signed out',
  reset: 'password reset',
  remove: 'removed',
  'add-to-group': 'put into',
  'take-out-of-group': 'taken out of',
  edit: 'changed',
  'create-group': 'group made',
  'delete-group': 'group deleted',
};

/** A line of the log in words. */
export function logWords(entry: LogEntry): string {
  return [DONE[entry.what] ?? entry.what, entry.detail].filter(Boolean).join(' ');
}

/** How a line of the log ended, where it is not simply done. */
export function outcomeWords(entry: LogEntry): { text: string; tone: Tone } | null {
  if (entry.outcome === null) return { text: 'It is not known how this ended', tone: 'working' };
  if (entry.outcome.kind === 'failed') return { text: entry.outcome.error.message, tone: 'bad' };
  return entry.outcome.kind === 'unchanged' ? { text: 'Was so already', tone: 'quiet' } : null;
}

/** What is worth knowing of the pool before inviting so many. */
export function warnings(facts: PoolFacts, inviting: number): string[] {
  const all = [];
  if (facts.mailsLeft !== null && inviting > facts.mailsLeft)
    all.push(
      `This pool sends its mail by Cognito's own sender, which is 50 a day: of ${inviting} invitations ${facts.mailsLeft} go out today, and the others with the same list tomorrow. Let the engineer connect it to Amazon SES, or invite without a mail.`,
    );
  if (facts.isOpenToAll) all.push('Anyone may sign up to this pool without an invitation.');
  return all;
}

export function invitedWords(invited: Invited): { text: string; tone: Tone } {
  switch (invited.kind) {
    case 'sent':
      return { text: 'Invited', tone: 'good' };
    case 'handOver':
      return { text: [`Temporary password: ${invited.password}`, invited.trouble?.message].filter(Boolean).join(' · '), tone: invited.trouble === null ? 'good' : 'working' };
    case 'wasThere':
      return { text: 'Is there already, and got no invitation', tone: 'quiet' };
    case 'failed':
      return { text: `${invited.error.message} ${invited.error.remedy}`, tone: 'bad' };
  }
}

/** What became of many, in words. */
export function runWords(summary: RunSummary): string {
  const left = summary.of - summary.done - summary.unchanged - summary.failed;
  const parts = [
    [summary.done, 'done'],
    [summary.unchanged, summary.unchanged === 1 ? 'was so already' : 'were so already'],
    [summary.failed, 'failed'],
    [left, 'not tried'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, words]) => (summary.of === 1 ? words : `${count.toLocaleString()} ${words}`));
  return said.length === 0 ? 'nothing to do' : said.join(', ');
}

const SIGN_IN: Record<string, string> = { email: 'the address', phone_number: 'the phone number', username: 'a user name', preferred_username: 'a name of their own' };
const MFA: Record<string, string> = { OFF: 'Off', ON: 'Needed by all', OPTIONAL: 'For those who want it' };

/** The settings of a pool, in words. */
export function poolFacts(facts: PoolFacts): { name: string; value: string; tone?: Tone }[] {
  return [
    { name: 'Pool', value: `${facts.name} (${facts.id})` },
    { name: 'Accounts', value: `about ${facts.estimatedUsers.toLocaleString()}` },
    { name: 'People sign in with', value: facts.signInWith.map((one) => SIGN_IN[one] ?? one).join(', ') },
    facts.isOpenToAll ? { name: 'Self sign-up', value: 'Open: anyone may sign up', tone: 'working' } : { name: 'Self sign-up', value: 'Closed: by invitation only' },
    { name: 'Invitation', value: `Good for ${facts.validityDays} days${facts.invitationText === null ? ', with the text of Cognito' : ''}` },
    facts.hasSmallMailQuota
      ? { name: 'Mail', value: `By Cognito's own sender, 50 a day for the whole account; about ${facts.mailsLeft ?? 50} are left for today`, tone: 'working' }
      : { name: 'Mail', value: `By Amazon SES${facts.mailFrom === null ? '' : `, from ${facts.mailFrom}`}` },
    { name: 'Passwords', value: facts.passwordPolicy },
    { name: 'Second factor (MFA)', value: MFA[facts.mfa] ?? facts.mfa },
    facts.isProtected ? { name: 'Deletion protection', value: 'On' } : { name: 'Deletion protection', value: 'Off: the pool can be deleted by mistake', tone: 'working' },
  ];
}
