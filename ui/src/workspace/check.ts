import type { Comparison, Finding } from '../bindings';
import { bytes } from '../shared/format';

/** Whether someone has to do something. */
export const isBad = (finding: Finding) => finding.outcome === 'denied' || finding.outcome === 'wrong';

/** One sentence about all of them. */
export function verdict(findings: Finding[]): string {
  const bad = findings.filter(isBad).length;
  if (bad > 0) return bad === 1 ? '1 thing needs you' : `${bad} things need you`;
  const advice = findings.filter((finding) => finding.outcome === 'advice').length;
  if (advice > 0) return advice === 1 ? 'Everything works; 1 piece of advice' : `Everything works; ${advice} pieces of advice`;
  return 'Everything works';
}

/** What to send to the engineer about what is missing; empty where nothing is. */
export function request(workspace: string, findings: Finding[]): string {
  const lines = findings.flatMap((finding) => (finding.outcome === 'denied' ? [`- ${finding.missing.action} on ${finding.missing.resources.join(', ')} (${finding.missing.why})`] : []));
  return lines.length === 0 ? '' : `Reeldesk lacks these IAM permissions in the workspace "${workspace}":\n${lines.join('\n')}\n`;
}

/** What a comparison of the ways to the bucket says. */
export function faster({ straight, accelerated }: Comparison): string {
  const speeds = `${bytes(accelerated)}/s with Transfer Acceleration, ${bytes(straight)}/s without`;
  const ratio = Math.max(accelerated, straight) / Math.min(accelerated, straight);
  // What the line does from one minute to the next is more than that.
  if (ratio < 1.1) return `Both ways are equally fast from here: ${speeds}.`;
  return `From here uploads are ${ratio.toFixed(1)} times as fast ${accelerated > straight ? 'with' : 'without'} it: ${speeds}.`;
}
