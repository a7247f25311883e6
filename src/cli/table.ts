/** The success table that people read. */
import type { Evaluation } from '../rollout/episodes.ts';
import type { Rate } from '../statistics/index.ts';

const percent = (share: number) => `${(100 * share).toFixed(1)}%`.padStart(6);

/** One line per task, one for all, one for the decoding latency. */
export function formatEvaluation({ suite, tasks, latency_ms, ood, ...total }: Evaluation): string {
  const line = ({ successes, n, success_rate, interval: [low, high] }: Rate, name: string) =>
    `${percent(success_rate)}  [${percent(low)}, ${percent(high)}]  ${`${successes}/${n}`.padStart(9)}  ${name}\n`;
  return (
    'success  95% interval       episodes\n' +
    tasks.map((task) => line(task, task.instruction)).join('') +
    line(total, suite) +
    `Decoding a chunk took ${latency_ms.p50.toFixed(2)} ms (median), ${latency_ms.p95.toFixed(2)} ms (95th percentile).\n` +
    (ood
      ? `${(100 * ood.unusual).toFixed(1)}% of ${ood.n} decisions surprise more than 95% of those on held-out demonstrations do.\n`
      : '')
  );
}
