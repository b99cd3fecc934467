// The stages in words, and what a row says and draws at each.
import type { Journey, Stage } from '../bindings';
import { bytes, left } from '../shared/format';

const WORDS: Record<Stage, string> = {
  paused: 'Paused',
  checking: 'Checking',
  waiting: 'Waiting',
  sending: 'Sending',
  finalising: 'Finalizing',
  verified: 'Verified',
  queued: 'Queued',
  encoding: 'Encoding',
  playable: 'Playable',
  needsYou: 'Needs you',
  skipped: 'In the library',
  canceled: 'Canceled',
  canceling: 'Canceling',
};

export type Tick = 'done' | 'now' | 'to come';

/** Sent is not verified is not playable: three different ticks. */
export function ticks(stage: Stage): { name: string; state: Tick }[] {
  const order: Stage[] = ['sending', 'verified', 'playable'];
  const reached = { paused: -1, checking: -1, waiting: -1, sending: 0, finalising: 1, verified: 2, queued: 2, encoding: 2, playable: 3, needsYou: -1, skipped: -1, canceled: -1, canceling: -1 }[stage];
  return order.map((one, index) => ({
    name: one === 'sending' ? 'Sent' : WORDS[one],
    state: index < reached ? 'done' : index === reached ? 'now' : 'to come',
  }));
}

export const isOpen = (stage: Stage) => stage !== 'needsYou' && !isEnded(stage);

/** Whether nothing is left to do. */
export const isEnded = (stage: Stage) => stage === 'playable' || stage === 'skipped' || stage === 'canceled';

/** Whether its bytes are still to be sent. */
export const isSending = (stage: Stage) => stage === 'checking' || stage === 'waiting' || stage === 'sending' || stage === 'finalising';

export function word(journey: Journey): string {
  if (journey.stage === 'encoding' && journey.percent !== null) return `Encoding ${journey.percent} %`;
  return WORDS[journey.stage];
}

/** The line below the name. */
export function detail(journey: Journey): string {
  if (journey.undo !== null && journey.stored > 0) return `${bytes(journey.stored)} already sent will be discarded in a few seconds.`;
  if (journey.notice) return journey.notice;
  if (journey.stage === 'paused' && journey.sent > 0) return `${bytes(journey.sent)} of ${bytes(journey.size)} sent`;
  if (journey.stage !== 'sending') return journey.size > 0 ? bytes(journey.size) : '';
  const parts = [`${bytes(journey.sent)} of ${bytes(journey.size)}`];
  if (journey.speed !== null) parts.push(`${bytes(journey.speed)}/s`);
  if (journey.timeLeft !== null) parts.push(left(journey.timeLeft));
  return parts.join(', ');
}

/** What the start took up again, in one sentence; null if nothing. */
export function continued(journeys: Journey[]): string | null {
  const begun = journeys.filter((journey) => isSending(journey.stage) && journey.stored > 0);
  const sum = (value: (journey: Journey) => number) => begun.reduce((all, journey) => all + value(journey), 0);
  if (begun.length === 0) return null;
  const percent = Math.floor((sum((one) => one.stored) * 100) / sum((one) => one.size));
  return `Continued ${begun.length === 1 ? '1 upload' : `${begun.length} uploads`} from ${percent} %`;
}

/** All that an engineer asks for, as text. */
export function report(journey: Journey): string {
  const facts = [
    ['Title', journey.title],
    ['File', `${journey.path} (${journey.size} bytes)`],
    ['Stage', word(journey)],
    ['Since', new Date(journey.stageSince).toISOString()],
    ['Key', journey.key],
    ['CRC64NVME', journey.checksum],
    ['Video', journey.guid],
    ['Job', journey.jobId],
    ['Notice', journey.notice],
    ['Error', journey.error && `${journey.error.code}: ${journey.error.message} ${journey.error.details}`],
  ];
  return facts.flatMap(([name, value]) => (value ? [`${name}: ${value}`] : [])).join('\n');
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

/** How many there are of what the screen speaks of, and the sums of what is being sent: one pass over all. */
export interface Counts {
  /** Files that are being sent or wait for it. */
  sending: number;
  paused: number;
  encoding: number;
  needsYou: number;
  /** Of those, the ones that a retry may help: they ask nothing. */
  stuck: number;
  ended: number;
  /** Of the bytes that are being sent; below 100 until S3 has verified them. */
  percent: number;
  /** Bytes a second. */
  speed: number;
  secondsLeft: number | null;
}

export function counts(journeys: Journey[]): Counts {
  const all: Counts = { sending: 0, paused: 0, encoding: 0, needsYou: 0, stuck: 0, ended: 0, percent: 0, speed: 0, secondsLeft: null };
  let [size, sent, told] = [0, 0, false];
  for (const journey of journeys) {
    if (isSending(journey.stage)) {
      all.sending += 1;
      all.speed += journey.speed ?? 0;
      size += journey.size;
      sent += journey.sent;
      told ||= journey.timeLeft !== null;
    } else if (journey.stage === 'paused') all.paused += 1;
    else if (journey.stage === 'needsYou') {
      all.needsYou += 1;
      if (journey.conflict === null && journey.error?.code !== 'not-a-video') all.stuck += 1;
    }
    else if (isEnded(journey.stage)) all.ended += 1;
    else if (journey.stage !== 'canceling') all.encoding += 1;
  }
  if (size > 0) all.percent = Math.min(99, Math.floor((sent * 100) / size));
  if (told && all.speed > 0) all.secondsLeft = Math.ceil((size - sent) / all.speed);
  return all;
}
