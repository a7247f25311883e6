/** One training and the rollouts of the cells that share it: what a process of its own does, wherever it was stopped. */
import * as path from 'node:path';
import type { JobContext } from '../jobs/index.ts';
import { machine } from '../machine.ts';
import { CHECKPOINTS, readCheckpoint } from '../policy/index.ts';
import { asStage, type Reporter } from '../progress.ts';
import { evaluate } from '../rollout/evaluate.ts';
import { isFinished, readMetrics, settingsIn, train, trainConfig } from '../train/index.ts';
import type { Rollouts, Training } from './cells.ts';
import { writeResult } from './store.ts';

export interface Job {
  readonly training: Training;
  /** Demonstrations. */
  readonly data: string;
  /** The run. */
  readonly folder: string;
  readonly evaluations: readonly { readonly folder: string; readonly settings: Rollouts }[];
}

/** The stages of a job. */
export const TRAINING = 'training';
const ROLLOUTS = 'rollouts';

/** @throws NinaError when training diverges, an episode cannot run, or `signal` stopped it; all that is done is kept. */
export async function runJob(
  { training, data, folder, evaluations }: Job,
  { signal, progress }: JobContext,
): Promise<void> {
  const config = trainConfig(settingsIn({ ...training.settings, data }, folder));
  const { max_steps } = config.training;
  const checkpoint = path.join(folder, CHECKPOINTS, String(max_steps));
  const report: Reporter = { notice() {}, progress };
  if (!isFinished(folder, max_steps)) await train(folder, config, { signal, report: asStage(TRAINING, report) });
  const { manifest } = readCheckpoint(checkpoint);
  const { cpu, cores, node } = machine();
  const measured = readMetrics(folder);
  for (const { folder: out, settings: rollouts } of evaluations) {
    const startMs = performance.now();
    let before: number | undefined;
    const rolledOut = asStage(ROLLOUTS, {
      ...report,
      progress: (now) => {
        before ??= now.done;
        progress(now);
      },
    });
    const result = await evaluate(
      { ...rollouts, suite: training.suite },
      { checkpoint, out, signal, workers: 1, report: rolledOut },
    );
    const { successes, n, tasks, latency_ms, backend } = result;
    // A resumed evaluation is counted as if it had run at this process' speed from the start.
    const share = before === undefined || before === n ? 1 : n / (n - before);
    writeResult(out, {
      ...{ evaluation: rollouts, successes, n, latency_ms, backend },
      tasks: tasks.map((task) => ({ task: task.task, successes: task.successes, n: task.n })),
      metrics: numbersOf(measured.at(-1)!),
      training_s: secondsOf(measured),
      evaluation_s: (share * (performance.now() - startMs)) / 1000,
      parameters: manifest.parameters,
      data_hash: manifest.data_hash,
      machine: { cpu, cores, node },
    });
  }
}

/** Seconds spent on updates, over all the processes that a run took. */
function secondsOf(metrics: ReturnType<typeof readMetrics>): number {
  return metrics.reduce((sum, { step, steps_per_s }, i) => sum + (step - (metrics[i - 1]?.step ?? 0)) / steps_per_s, 0);
}

function numbersOf(metrics: object): Record<string, number> {
  const entries: [string, unknown][] = Object.entries(metrics);
  return Object.fromEntries(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}
