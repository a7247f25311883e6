/**
 * `nina quickstart`: the whole path in one command: demonstrations -> training -> closed-loop rollouts -> report.
 * Every stage keeps what it has finished, so the same command continues where an interrupted one stopped.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { readJson } from '../json-files.ts';
import type { EvaluationResult } from '../rollout/evaluate.ts';
import { recordWithProgress } from './demos.ts';
import { evaluateWithProgress } from './eval.ts';
import { defaultWorkers, workers } from './options.ts';
import { duration, notice } from './progress.ts';
import { formatEvaluation } from './table.ts';
import { trainWithProgress } from './train.ts';

const SUITE = 'tabletop-object';
const DEMONSTRATIONS_PER_TASK = 50;
const ROLLOUTS_PER_TASK = 10;
/** Demonstrations and rollouts draw their scenes in different namespaces: no rollout starts from a recorded placement. */
const DEMONSTRATION_SEED = 0;
/** Nothing was tuned on the placements of this seed. */
const ROLLOUT_SEED = 100;
const RECIPE = fileURLToPath(new URL('../../recipes/quickstart.yaml', import.meta.url));

const STAGES = ['demonstrations', 'training', 'rollouts'] as const;
type Stage = (typeof STAGES)[number];

export function registerQuickstart(program: Command): void {
  program
    .command('quickstart')
    .description(
      'record demonstrations, train NinA on them, roll it out and report: three to five minutes on two cores',
    )
    .option('--out <folder>', 'folder of everything it makes', 'quickstart')
    .option('--workers <n>', 'worker threads; the result does not depend on them', workers, defaultWorkers)
    .option('--json', 'print JSON', false)
    .action(quickstart);
}

async function quickstart({ out, workers, json }: { out: string; workers: number; json: boolean }): Promise<void> {
  const clock = await stageClock(out);
  const demos = path.join(out, 'demos');
  const run = path.join(out, 'run');

  notice(
    `1/3 Recording ${DEMONSTRATIONS_PER_TASK} demonstrations of each task of ${SUITE} (about half a minute on two cores)`,
  );
  const recording = await clock.time('demonstrations', () =>
    recordWithProgress({
      suite: SUITE,
      episodes: DEMONSTRATIONS_PER_TASK,
      seed: DEMONSTRATION_SEED,
      out: demos,
      images: false,
      workers,
    }),
  );

  notice('2/3 Training NinA-MLP, 28 layers of width 64, by maximum likelihood (about three minutes on two cores)');
  const config = await recipe(run, demos);
  const { max_steps } = config.training;
  const finished = path.join(run, 'checkpoints', String(max_steps));
  const { isFinished } = await import('../train/index.ts');
  if (!isFinished(run, max_steps)) await clock.time('training', () => trainWithProgress(run, config, { workers }));

  notice(
    `3/3 Rolling the policy out, ${ROLLOUTS_PER_TASK} new placements of each task (about 15 seconds on two cores)`,
  );
  const settings = { suite: SUITE, episodes: ROLLOUTS_PER_TASK, seed: ROLLOUT_SEED, video: true };
  const { result, report } = await clock.time('rollouts', () =>
    evaluateWithProgress(settings, { checkpoint: finished, out: path.join(out, 'eval'), workers }),
  );

  const seconds = clock.totalS();
  if (json) {
    const { success_rate, n, interval } = result;
    process.stdout.write(`${toJson({ success_rate, n, interval, seconds, report })}\n`);
    return;
  }
  const recorded = recording.tasks.reduce((sum, task) => sum + task.successes, 0);
  process.stdout.write(table(result, recorded, seconds, report));
}

/** The run's own recipe when it was started before, else the shipped one with the recorded demonstrations. */
async function recipe(run: string, data: string) {
  const { isRun, readRecipe, readRun, trainConfig } = await import('../train/index.ts');
  const recorded = ['data', { value: data, where: 'quickstart' }] as const;
  if (isRun(run)) return readRun(run, new Map([recorded]));
  const settings = new Map([...readRecipe(RECIPE), recorded]);
  return trainConfig(settings);
}

/** Seconds spent in each stage, kept on disk so that a quickstart stopped by Ctrl-C reports all of its time. */
async function stageClock(out: string) {
  const z = await import('zod');
  const file = path.join(out, 'seconds.json');
  const schema = z.partialRecord(z.enum(STAGES), z.number().min(0));
  const seconds: Partial<Record<Stage, number>> = fs.existsSync(file)
    ? readJson(file, schema, 'Delete it: only the time of what is finished is forgotten.')
    : {};
  return {
    async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
      const start = performance.now();
      try {
        return await work();
      } finally {
        seconds[stage] = (seconds[stage] ?? 0) + (performance.now() - start) / 1000;
        writeFileAtomically(file, `${toJson(seconds)}\n`);
      }
    },
    totalS: () => Object.values(seconds).reduce((a, b) => a + b, 0),
  };
}

function table(result: EvaluationResult, recorded: number, seconds: number, report: string): string {
  return `\n${formatEvaluation(result)}${[
    `Trained on ${recorded} demonstrations; rolled out from ${result.n} placements that are not among them.`,
    `Everything took ${duration(seconds * 1000)}.`,
    `Report: ${report}`,
  ].join('\n')}\n`;
}
