/** The folder of a run: recipe.yaml, metrics.jsonl, metrics.csv, state.safetensors, checkpoints/<step>/. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { cpu } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { removeFolder, requireFile, writeFileAtomically } from '../files.ts';
import { CHECKPOINTS, type PolicyParts, type SelfTest, writeCheckpoint } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { packageVersion } from '../version.ts';
import { completeConfig, settingsByPath, type TrainConfig } from './config.ts';
import type { Demonstrations } from './dataset.ts';
import { lastingInit } from './init.ts';
import type { Eyes } from './observe.ts';
import { readRecipe } from './recipe.ts';
import type { Settings } from './settings.ts';
import { statePath, type TrainState, writeState } from './state.ts';
import { measureSurprise } from './surprise.ts';

const recipePath = (run: string) => path.join(run, 'recipe.yaml');

/** Checkpoints kept; the older ones are removed. */
const KEPT = 2;

export const isRun = (directory: string) => fs.existsSync(recipePath(directory));

/** @throws NinaError when the folder already holds a run: a new one would overwrite it. */
export function requireNewRun(run: string): void {
  if (isRun(run))
    throw new NinaError(
      `${run} already holds a training run. Continue it with 'nina train --resume ${run}', or choose another --out.`,
    );
  // Training on beside what another recipe left would mix the two.
  if (fs.existsSync(statePath(run)) || savedSteps(run).length > 0)
    throw new NinaError(
      `${run} holds the state or checkpoints of a training run whose recipe.yaml is missing. Restore that file, or choose another --out.`,
    );
}

/** Notes the recipe in the run's folder, which makes it a run. It can be resumed from any folder: its data is absolute. */
export function writeRecipe(run: string, config: TrainConfig): void {
  const header = "# The whole recipe of this run: 'nina train recipe.yaml' repeats it.\n";
  const data = config.data === undefined ? undefined : path.resolve(config.data);
  const init = config.init === undefined ? undefined : lastingInit(config.init);
  writeFileAtomically(recipePath(run), header + stringify({ ...config, data, init }));
}

/**
 * The recipe of a started run. With another max_steps the learning rate keeps the schedule that the run began with:
 * stretched anew, the rate would jump at the step of the resume.
 * @throws NinaError when the folder holds none, or one of the former flat form.
 */
export function readRun(run: string, changed: Settings = new Map()): TrainConfig {
  if (!isRun(run)) throw new NinaError(`${run} holds no training run: it has no recipe.yaml.`);
  requireFile(recipePath(run));
  const recipe = readRecipe(recipePath(run));
  // Every run notes its steps; what now is a section was flat once.
  if (recipe.has('max_steps'))
    throw new NinaError(
      `${recipePath(run)} is in the form of nina-vla 0.1, without sections: go on with ${run} in that version, or train anew.`,
    );
  const { training: begun } = completeConfig(recipe);
  const config = completeConfig(new Map([...recipe, ...changed]));
  const { training } = config;
  if (training.max_steps === begun.max_steps) return config;
  return { ...config, training: { ...training, schedule_steps: training.schedule_steps ?? begun.max_steps } };
}

/**
 * Notes in a started run's recipe what it goes on with, another number of steps or another place of its data, so that
 * the next resume does too.
 * @returns what to tell the user.
 */
export function noteChanges(run: string, { data, training: { max_steps, schedule_steps } }: TrainConfig): string[] {
  const recipe = readRun(run);
  const moved = data !== undefined && path.resolve(data) !== recipe.data;
  const longer = max_steps !== recipe.training.max_steps;
  if (!moved && !longer) return [];
  writeRecipe(run, { ...recipe, data, training: { ...recipe.training, max_steps, schedule_steps } });
  const noted = `, as ${recipePath(run)} notes.`;
  return [
    ...(moved ? [`The demonstrations are now in ${path.resolve(data)} instead of ${recipe.data}${noted}`] : []),
    ...(longer
      ? [
          `max_steps is now ${max_steps} instead of ${recipe.training.max_steps}${noted} ` +
            `The schedule of the learning rate still stretches over ${schedule_steps ?? max_steps} steps.`,
        ]
      : []),
  ];
}

/** Where the demonstrations are. @throws NinaError when a started run's are no longer there. */
export function locateData(run: string, { data }: TrainConfig): string {
  if (data === undefined) throw new NinaError(`The recipe of ${run} names no data.`);
  if (isRun(run) && !fs.existsSync(data))
    throw new NinaError(
      `The demonstrations of ${run} are no longer in ${data}. Say where they are now: nina train --resume ${run} --data FOLDER`,
    );
  return data;
}

/** What a run is trained with, and keeps: all but where its data lies and for how many steps it goes on. By path. */
export function lastingSettings(config: TrainConfig): Record<string, unknown> {
  const { data: _, 'training.max_steps': steps, ...lasting } = settingsByPath(config);
  return { ...lasting, 'training.schedule_steps': lasting['training.schedule_steps'] ?? steps };
}

/** @throws NinaError naming each setting that is no longer what the run was trained with so far. */
export function requireSameSettings(run: string, config: TrainConfig, saved: Readonly<Record<string, unknown>>): void {
  const present = lastingSettings(config);
  const text = (value: unknown) => (value === null || value === undefined ? 'not given' : JSON.stringify(value));
  // A setting that came later, with a default, is not among the saved ones and parts nothing.
  const edited = Object.entries(saved).filter(([path, value]) => text(present[path]) !== text(value));
  if (edited.length === 0) return;
  const list = edited.map(([path, value]) => `${path} is ${text(present[path])} and was ${text(value)}`);
  throw new NinaError(
    `${recipePath(run)} is not what ${run} was trained with so far: ${list.join('; ')}. Put it back (another number of ` +
      'steps is given with --max_steps), or start a new run with the edited recipe in another folder.',
  );
}

/**
 * Saves the averaged weights as a policy and then the state to resume from. When the training is finished, what the
 * policy's surprise is on held-out episodes becomes part of its statistics.
 * @returns the checkpoint's directory
 */
export async function save(
  run: string,
  state: TrainState,
  averaged: PolicyParts,
  selfTest: SelfTest,
  demonstrations: Demonstrations,
  eyes: Eyes,
  { seed, training: { max_steps } }: Pick<TrainConfig, 'seed' | 'training'>,
): Promise<string> {
  const surprise =
    state.step < max_steps
      ? undefined
      : await measureSurprise(averaged, demonstrations.validation, eyes, fold(key(seed), 'surprise'));
  const statistics = { ...averaged.statistics, ...(surprise && { surprise }) };
  const directory = path.join(run, CHECKPOINTS, String(state.step));
  writeCheckpoint(
    directory,
    { ...averaged, statistics },
    {
      package_version: packageVersion,
      engine_version: cpu.name,
      seed,
      step: state.step,
      data_hash: demonstrations.hash,
      self_test: await selfTest.record(),
    },
  );
  writeState(run, state);
  for (const step of savedSteps(run).slice(0, -KEPT)) removeFolder(path.join(run, CHECKPOINTS, String(step)));
  return directory;
}

/** Steps with a checkpoint, ascending. */
export function savedSteps(run: string): number[] {
  const folder = path.join(run, CHECKPOINTS);
  if (!fs.existsSync(folder)) return [];
  const steps = fs.readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return steps.map(Number).sort((a, b) => a - b);
}
