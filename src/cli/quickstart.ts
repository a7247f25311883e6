/**
 * `nina quickstart`: the whole path in one command: demonstrations -> training -> closed-loop rollouts -> report. Of a policy
 * that reads the simulator's state, or with --pixels of one that sees two cameras and reads the instruction.
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

/** One way from demonstrations to a policy. */
interface Course {
  readonly images: boolean;
  /** In this order, each from the weights of the one before; the last is the policy. */
  readonly trainings: readonly { readonly folder: string; readonly recipe: string; readonly what: string }[];
  /** What recording and rolling out take on two cores. */
  readonly takes: { readonly demonstrations: string; readonly rollouts: string };
}

const STATE: Course = {
  images: false,
  trainings: [
    {
      folder: 'run',
      recipe: 'quickstart',
      what: 'Training NinA-MLP, 28 layers of width 64, by maximum likelihood (about three minutes on two cores)',
    },
  ],
  takes: { demonstrations: 'half a minute', rollouts: '15 seconds' },
};

const PIXELS: Course = {
  images: true,
  trainings: [
    {
      folder: 'frozen',
      recipe: 'pixels-frozen',
      what: 'Training NinA-MLP and the text encoder on the frozen image tower of florence2-nano (about 20 minutes on two cores)',
    },
    {
      folder: 'run',
      recipe: 'pixels',
      what: 'Training encoder and decoder together (about 20 minutes on two cores)',
    },
  ],
  takes: { demonstrations: 'two minutes', rollouts: 'two minutes' },
};

const STAGES = ['demonstrations', 'training', 'rollouts'] as const;
type Stage = (typeof STAGES)[number];

export function registerQuickstart(program: Command): void {
  program
    .command('quickstart')
    .description(
      'record demonstrations, train NinA on them, roll it out and report: three to five minutes on two cores',
    )
    .option(
      '--pixels',
      "from two cameras and the instruction instead of the simulator's state: about 45 minutes",
      false,
    )
    .option('--out <folder>', 'folder of everything it makes (default: quickstart, or quickstart-pixels)')
    .option('--workers <n>', 'worker threads; the result does not depend on them', workers, defaultWorkers)
    .option('--json', 'print JSON', false)
    .action(quickstart);
}

interface Options {
  pixels: boolean;
  out?: string;
  workers: number;
  json: boolean;
}

async function quickstart({
  pixels,
  out = pixels ? 'quickstart-pixels' : 'quickstart',
  workers,
  json,
}: Options): Promise<void> {
  const { images, trainings, takes } = pixels ? PIXELS : STATE;
  const clock = await stageClock(out);
  const demos = path.join(out, 'demos');
  const stages = trainings.length + 2;

  notice(
    `1/${stages} Recording ${DEMONSTRATIONS_PER_TASK} demonstrations of each task of ${SUITE} (about ${takes.demonstrations} on two cores)`,
  );
  const recording = await clock.time('demonstrations', () =>
    recordWithProgress({
      suite: SUITE,
      episodes: DEMONSTRATIONS_PER_TASK,
      seed: DEMONSTRATION_SEED,
      out: demos,
      images,
      workers,
    }),
  );

  let checkpoint = '';
  for (const [i, { folder, recipe, what }] of trainings.entries()) {
    notice(`${i + 2}/${stages} ${what}`);
    const run = path.join(out, folder);
    const config = await configOf(run, recipe, { data: demos, ...(i > 0 && { init: checkpoint }) });
    const { max_steps } = config.training;
    const { isFinished } = await import('../train/index.ts');
    if (!isFinished(run, max_steps)) await clock.time('training', () => trainWithProgress(run, config, { workers }));
    checkpoint = path.join(run, 'checkpoints', String(max_steps));
  }

  notice(
    `${stages}/${stages} Rolling the policy out, ${ROLLOUTS_PER_TASK} new placements of each task (about ${takes.rollouts} on two cores)`,
  );
  const settings = { suite: SUITE, episodes: ROLLOUTS_PER_TASK, seed: ROLLOUT_SEED, video: true };
  const { result, report } = await clock.time('rollouts', () =>
    evaluateWithProgress(settings, { checkpoint, out: path.join(out, 'eval'), workers }),
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

/** The run's own recipe when it was started before, else the shipped one with these settings. */
async function configOf(run: string, recipe: string, given: Readonly<Record<string, string>>) {
  const { isRun, readRecipe, readRun, trainConfig } = await import('../train/index.ts');
  const settings = new Map(Object.entries(given).map(([name, value]) => [name, { value, where: 'quickstart' }]));
  if (isRun(run)) return readRun(run, settings);
  const file = fileURLToPath(new URL(`../../recipes/${recipe}.yaml`, import.meta.url));
  return trainConfig(new Map([...readRecipe(file), ...settings]));
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
