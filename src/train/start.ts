/**
 * Where a training begins: its demonstrations, the model that follows from them and the settings, and the state that was
 * saved, or a fresh one. What is wrong with any of these is told before anything is compiled or written.
 */
import { encoderOf } from '../encoders/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { blueprint, type PolicyConfig, type PolicyModel } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { layoutOf, type NDArray, pack, type Spec, type Tree } from '../tensor/index.ts';
import type { TrainConfig } from './config.ts';
import { type Demonstrations, loadDemonstrations } from './dataset.ts';
import { frozenPaths, under, without } from './frozen.ts';
import { type Init, readInit } from './init.ts';
import { NO_SUMS } from './meter.ts';
import { beginModel } from './model.ts';
import { fill, initialState, type OptimizerMemory, optimizerMemory } from './optimizer.ts';
import { decoderConfig, decoderRules } from './parts.ts';
import { locateData, requireSameSettings } from './run.ts';
import { join } from './settings.ts';
import { shardRows } from './shard.ts';
import { readState, requireSize, type Sums, type TrainState } from './state.ts';

export interface Start {
  readonly data: Demonstrations;
  readonly policy: PolicyConfig;
  readonly plan: ReturnType<typeof blueprint>;
  /** The part of the plan's parameters that is trained. */
  readonly trained: Tree<Spec>;
  /** The others, by path. */
  readonly frozen: ReadonlyMap<string, NDArray>;
  readonly buffers: PolicyModel['buffers'];
  /** The optimizer's state is in it. */
  readonly memory: OptimizerMemory;
  /** Updates done. */
  readonly step: number;
  readonly sums: Sums;
}

/**
 * @param notice told what in the data should be known and is no error
 * @throws UsageError or NinaError, as `train` says.
 */
export async function prepareStart(run: string, config: TrainConfig, notice: (text: string) => void): Promise<Start> {
  const { encoder, seed, training } = config;
  const source = locateData(run, config);
  const saved = readState(run);
  const init = await readBeginning(run, config, saved);
  const assets = init?.assets ?? {};
  const data = await loadDemonstrations(source, encoder, assets, seed, training.validation_fraction, notice);
  if (saved) requireContinuation(run, config, data, saved);
  const policy = policyConfig(config, data);
  const plan = blueprint(fold(key(seed), 'init'), policy);
  const paths = frozenPaths(policy.encoder, training.freeze);
  const trained = without<Spec>(plan.params, paths);
  const { size } = layoutOf(trained);
  if (saved) requireSize(run, saved, size);
  const weights = saved || config.init_weights ? init : undefined;
  const begun = saved && paths.length === 0 ? undefined : beginModel(plan, policy, weights, paths, notice);
  const { optimizer, buffers, step, sums } = saved ?? fresh(without<NDArray>(begun!.params, paths), begun!.buffers);
  const memory = await optimizerMemory(size, shardRows(training.batch_size).length);
  fill(memory, optimizer);
  const frozen = begun ? under<NDArray>(begun.params, paths) : new Map();
  return { data, policy, plan, trained, frozen, buffers, memory, step, sums };
}

/** What the run begins with; of a run that was saved, its newest checkpoint, which has the same files and frozen weights. */
async function readBeginning(
  run: string,
  { encoder, init, training }: TrainConfig,
  saved: TrainState | undefined,
): Promise<Init | undefined> {
  if (!saved) return init === undefined ? undefined : readInit(init);
  const needed = training.freeze !== 'none' || encoderOf(encoder).assets.length > 0;
  return needed ? readInit(run) : undefined;
}

/** Other data make another vocabulary and so another model: the data come first, what follows from them later. */
function requireContinuation(run: string, config: TrainConfig, data: Demonstrations, saved: TrainState): void {
  const { max_steps } = config.training;
  if (saved.dataHash !== data.hash)
    throw new NinaError(
      `The demonstrations in ${config.data} are not those that ${run} was trained on so far. Restore them, say with --data ` +
        'where those are now, or start a new run.',
    );
  requireSameSettings(run, config, saved.settings);
  if (max_steps < saved.step)
    throw new UsageError(
      `${run} has done ${saved.step} steps; max_steps must be at least that to go on with it, got ${max_steps}.`,
    );
}

const fresh = (params: Tree<NDArray>, buffers: Start['buffers']) => ({
  optimizer: initialState(pack(params).flat),
  buffers,
  step: 0,
  sums: NO_SUMS,
});

/** The policy that these settings and this data define. */
function policyConfig({ decoder, acting }: TrainConfig, { encoder, robot }: Demonstrations): PolicyConfig {
  const [wrong] = decoderRules(decoder, robot);
  if (wrong)
    throw new UsageError(`${join('decoder', wrong.path.join('.'))}: ${wrong.message} The robot is ${robot.name}.`);
  return {
    encoder,
    decoder: decoderConfig(decoder, robot),
    robot,
    acting: { multistep: acting.multistep ?? decoder.chunk_length, temperature: acting.temperature },
  };
}
