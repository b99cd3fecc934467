// The stages in words, and what a row says and draws at each.
import type { Journey, Stage } from '../bindings';
import { bytes, left } from '../shared/format';

const WORDS: Record<Stage, string> = {
  paused: 'Paused',
  checking: 'Checking',
  waiting: 'Waiting',
  sending: 'Sending',
  finalising: 'Finalising',
  verified: 'Verified',
  queued: 'Queued',
  encoding: 'Encoding',
  playable: 'Playable',
  needsYou: 'Needs you',
  canceled: 'Canceled',
};

export type Tick = 'done' | 'now' | 'to come';

/** Sent is not verified is not playable: three different ticks. */
export function ticks(stage: Stage): { name: string; state: Tick }[] {
  const order: Stage[] = ['sending', 'verified', 'playable'];
  const reached = { paused: -1, checking: -1, waiting: -1, sending: 0, finalising: 1, verified: 2, queued: 2, encoding: 2, playable: 3, needsYou: -1, canceled: -1 }[stage];
  return order.map((one, index) => ({
    name: one === 'sending' ? 'Sent' : WORDS[one],
    state: index < reached ? 'done' : index === reached ? 'now' : 'to come',
  }));
}

export const isOpen = (stage: Stage) => stage !== 'playable' && stage !== 'needsYou' && stage !== 'canceled';

/** Whether its bytes are still to be sent. */
export const isSending = (stage: Stage) => stage === 'checking' || stage === 'waiting' || stage === 'sending' || stage === 'finalising';

export function word(journey: Journey): string {
  if (journey.stage === 'encoding' && journey.percent !== null) return `Encoding ${journey.percent} %`;
  return WORDS[journey.stage];
}

/** The line below the name. */
export function detail(journey: Journey): string {
  if (journey.notice) return journey.notice;
  if (journey.stage === 'paused' && journey.sent > 0) return `${bytes(journey.sent)} of ${bytes(journey.size)} sent`;
  if (journey.stage !== 'sending') return journey.size > 0 ? bytes(journey.size) : '';
  const parts = [`${bytes(journey.sent)} of ${bytes(journey.size)}`];
  if (journey.speed !== null) parts.push(`${bytes(journey.speed)}/s`);
  if (journey.timeLeft !== null) parts.push(left(journey.timeLeft));
  return parts.join(', ');
}

/** The bar, 0 to 100; null where there is nothing to measure. Sending stays below 100 until S3 has verified it. */
export function bar(journey: Journey): number | null {
  switch (journey.stage) {
    case 'paused':
      return journey.sent > 0 && journey.size > 0 ? Math.min(99, Math.floor((journey.sent * 100) / journey.size)) : null;
    case 'sending':
    case 'finalising':
      return journey.size > 0 ? Math.min(99, Math.floor((journey.sent * 100) / journey.size)) : 0;
    case 'encoding':
      return journey.percent;
    default:
      return null;
  }
}

/** Of the bar, what S3 has for good; the rest of it is on its way. */
export function barStored(journey: Journey): number | null {
  if (!isSending(journey.stage) || journey.size === 0) return null;
  return Math.min(99, Math.floor((journey.stored * 100) / journey.size));
}

export interface Totals {
  sending: number;
  files: number;
  percent: number;
  speed: number;
  secondsLeft: number | null;
}

/** What the tray says of all files that are being sent. */
export function totals(journeys: Journey[]): Totals {
  const open = journeys.filter((journey) => isSending(journey.stage));
  const size = open.reduce((sum, journey) => sum + journey.size, 0);
  const sent = open.reduce((sum, journey) => sum + journey.sent, 0);
  const speed = open.reduce((sum, journey) => sum + (journey.speed ?? 0), 0);
  const told = open.some((journey) => journey.timeLeft !== null);
  return {
    sending: open.filter((journey) => journey.stage === 'sending' || journey.stage === 'finalising').length,
    files: open.length,
    percent: size > 0 ? Math.min(99, Math.floor((sent * 100) / size)) : 0,
    speed,
    secondsLeft: told && speed > 0 ? Math.ceil((size - sent) / speed) : null,
  };
}
