import type { FailureClass, Job, State } from '../bindings';

export const STATES: [State, string][] = [
  ['progressing', 'Working'],
  ['submitted', 'Queued'],
  ['error', 'Failed'],
  ['complete', 'Complete'],
  ['canceled', 'Canceled'],
];

const NAMES = Object.fromEntries(STATES) as Record<State, string>;
const TONES: Record<State, string> = { progressing: 'working', submitted: 'quiet', error: 'bad', complete: 'good', canceled: 'quiet' };
const PHASES = { probing: 'Probing', transcoding: 'Encoding', uploading: 'Writing outputs' } as const;

export const CLASSES: Record<FailureClass, string> = {
  file: 'This file will fail again as it is',
  settings: 'The settings are at fault',
  rights: 'A right is missing',
  later: 'Another try may help',
  unknown: 'Whether another try helps is unclear',
};

export const isOpen = (job: Job) => job.state === 'submitted' || job.state === 'progressing';

/** The file that it reads, or its id. */
export const nameOf = (job: Job) => job.input?.split('/').pop() || job.id;

/** Where a job stands, in words and their color. */
export function stateWords(job: Job): { text: string; tone: string } {
  const tone = TONES[job.state];
  if (job.state !== 'progressing') return { text: NAMES[job.state], tone };
  const phase = job.phase === null ? NAMES.progressing : PHASES[job.phase];
  // MediaConvert tells no percent of some containers: that is no standstill.
  return { text: job.percent === null ? `${phase}, no percent from MediaConvert` : `${phase} ${job.percent} %`, tone };
}

/** Seconds from its begin to its end, or to now. */
export function worked(job: Job, now: number): number | null {
  const until = job.finishedAt ?? (job.state === 'progressing' ? now : null);
  return job.startedAt === null || until === null ? null : Math.max(0, Math.round((until - job.startedAt) / 1000));
}

/** How many times as fast as one watches it; none before its end. */
export function speed(job: Job): number | null {
  const seconds = worked(job, 0);
  return job.duration === null || job.finishedAt === null || seconds === null || seconds === 0 ? null : job.duration / seconds;
}
