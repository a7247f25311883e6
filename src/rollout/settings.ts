/** What an evaluation is defined by: as asked, and as resolved for a checkpoint. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { UsageError } from '../errors.ts';
import {
  type Checkpoint,
  chooseBackend,
  hasDensity,
  knows,
  POLICY_BACKENDS,
  type PolicyBackend,
} from '../policy/index.ts';
import { PANDA, requireSameRobot } from '../robot/index.ts';
import { INSTRUCTIONS, PERTURBATIONS, playedTask, requestOf, type Task } from '../sim/index.ts';
import { chooseTasks, loadSuite } from '../sim/suites.ts';
import { packageVersion } from '../version.ts';
import { MAX_EPISODES } from './limits.ts';

export const evaluationSchema = z.strictObject({
  suite: z.string(),
  /** Index of one task; absent: all. */
  task: z.int().min(0).optional(),
  /** Per task. */
  episodes: z.int().min(1).max(MAX_EPISODES),
  /** Of initial states and of sampling noise. */
  seed: z.int().min(0),
  /** Actions of each chunk to execute; absent: as the checkpoint says. */
  multistep: z.int().min(1).optional(),
  /** Scale of the sampling noise; absent: as the checkpoint says. */
  temperature: z.number().min(0).optional(),
  /** Of this many samples the most likely acts; absent: one is drawn. */
  best_of: z.int().min(2).max(1024).optional(),
  /** Choose among those samples that continue what the previous chunk still meant to do. */
  consistent: z.literal(true).optional(),
  /** What computes the decoder; absent: 'wasm'; 'auto': the fastest exact one, measured once. */
  backend: z.enum([...POLICY_BACKENDS, 'auto']).optional(),
  /** How the episodes are disturbed; tasks for which that makes no sense are left out. */
  perturbation: z.enum(PERTURBATIONS).optional(),
  /** What is asked instead of a task's own instruction; tasks of which nothing else can be asked are left out. */
  instruct: z.enum(INSTRUCTIONS).optional(),
  video: z.boolean().default(false),
});

type Asked = Omit<z.output<typeof evaluationSchema>, 'task' | 'episodes' | 'video'>;

/** What the result of an episode is a function of, beside the checkpoint. */
export interface EvaluationSettings extends Asked {
  multistep: number;
  temperature: number;
  backend: PolicyBackend;
}

/**
 * @throws UsageError for settings that this checkpoint cannot be evaluated with.
 * @throws NinaError for a policy of another robot than the simulator's.
 */
export async function resolveSettings(
  asked: Asked,
  { config, model, directory }: Checkpoint,
): Promise<EvaluationSettings> {
  const advice = 'Roll it out where its robot is.';
  requireSameRobot([directory, config.robot], ['this simulator', PANDA], advice);
  const T = config.decoder.chunk_length;
  const { multistep = config.acting.multistep, temperature = config.acting.temperature, best_of, consistent } = asked;
  if (multistep > T)
    throw new UsageError(`--multistep ${multistep} is more than the ${T} actions of a chunk of ${directory}.`);
  if (best_of !== undefined && !hasDensity(config))
    throw new UsageError(
      `--best-of needs log-probabilities, which a flow has; ${directory} has a ${config.decoder.name} decoder.`,
    );
  if (best_of !== undefined && temperature === 0)
    throw new UsageError(`--best-of ${best_of} samples are all the same at temperature 0; add --temperature 1.`);
  if (consistent && best_of === undefined)
    throw new UsageError('--consistent chooses among samples; say of how many with --best-of.');
  if (consistent && multistep === T)
    throw new UsageError(
      `--consistent needs something that is still being executed: a --multistep below the ${T} actions of a chunk.`,
    );
  if (asked.instruct !== undefined && asked.perturbation !== undefined)
    throw new UsageError(
      `--instruct ${asked.instruct} and --perturb ${asked.perturbation} are questions of their own: ask one of them.`,
    );
  const backend = await chooseBackend({ config, model }, asked.backend);
  return { ...asked, multistep, temperature, backend };
}

/**
 * The suite's tasks, or the one asked for, without those that cannot be disturbed, or asked otherwise, as wanted.
 * @throws UsageError if none is left.
 */
export function playableTasks(
  { config }: Checkpoint,
  { suite, perturbation, instruct, seed }: EvaluationSettings,
  task?: number,
): Task[] {
  const known = (text: string) => knows(config, text);
  const all = chooseTasks(suite, task);
  const tasks = loadSuite(suite);
  const askable = (one: Task) =>
    instruct === undefined || requestOf(one, tasks, { instruct, episode: 0, knows: known }) !== undefined;
  const asked = all.filter(askable);
  if (asked.length === 0) {
    const unknown = 'the policy does not know the words';
    const why = instruct === 'other' ? `no other task asks for something else in its scene, or ${unknown}` : unknown;
    throw new UsageError(`Of no task of ${suite} can '${instruct}' be asked: ${why}.`);
  }
  const playable = asked.filter(
    (one) => playedTask(one, { perturbation, seed, episode: 0, knows: known }) !== undefined,
  );
  if (playable.length > 0) return playable;
  throw new UsageError(
    `No task of ${suite} can be disturbed by '${perturbation}': there is no object to move, or no bystander or other ` +
      'category that the policy knows.',
  );
}

/** Equal for evaluations with equal results. A key that is new must be left out at its default, or old lines are lost. */
export function runHash({ directory }: Checkpoint, { backend, ...settings }: EvaluationSettings): string {
  const hash = createHash('sha256');
  // The manifest holds the hashes of configuration, weights and statistics.
  hash.update(fs.readFileSync(path.join(directory, 'manifest.json')));
  hash.update(JSON.stringify([packageVersion, { ...settings, backend }]));
  return hash.digest('hex');
}
