/** `nina train`: fits a policy to demonstrations. Flags are spelled as the reference's. */
import * as path from 'node:path';
import type { Command } from 'commander';
import type { NodeDevice } from '../engine/engine.ts';
import { toJson } from '../json.ts';
import type { Settings, TrainConfig, TrainResult } from '../train/index.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, deviceOption, workers } from './options.ts';
import { createReporter } from './progress.ts';

/** Settings with a flag of their own; the others are reached with --set. */
const FLAGS: readonly [key: string, value: string, description: string][] = [
  ['data', '<folder>', 'demonstrations, as nina demos writes them'],
  ['encoder', '<name>', 'what sees: state, or florence2-nano, -base, -large from pictures'],
  ['init', '<folder>', 'checkpoint, imported encoder, or weights of this package to begin with'],
  ['freeze', '<none|trunk|encoder>', 'what of the encoder stays as it begins'],
  ['proprio', '[true|false]', "whether an encoder of pictures sees the robot's state, too"],
  ['decoder', '<name>', 'action decoder: nina (normalizing flow), flower (diffusion), regression'],
  ['backbone', '<mlp|trans>', 'conditioner of the flow'],
  ['n_layers', '<n>', 'layers of the decoder'],
  ['affine_dim', '<n>', 'width of the conditioner'],
  ['action_noise_mult', '<x>', 'standard deviation of the noise on expert actions'],
  ['use_plu', '<true|false>', 'invertible linear maps between the couplings'],
  ['block_depth', '<n>', 'attention blocks of each trans conditioner'],
  ['n_heads', '<n>', 'attention heads of a trans conditioner or of flower'],
  ['dit_dim', '<n>', 'width of flower'],
  ['num_sampling_steps', '<n>', 'denoising steps of a flower sample'],
  ['sampling_type', '<name>', 'how flower draws the times it trains on'],
  ['batch_size', '<n>', 'chunks in one update'],
  ['max_steps', '<n>', 'updates in all'],
  ['learning_rate', '<x>', 'peak learning rate'],
  ['seed', '<n>', 'seed of everything random'],
];

type Options = Record<string, string | undefined> & { set: string[]; json: boolean } & {
  workers: number;
  device: NodeDevice;
};
const OWN = ['out', 'resume', 'set', 'workers', 'device', 'json'];

export function registerTrain(program: Command): void {
  const command = program
    .command('train')
    .description('train a policy on demonstrations')
    .argument('[recipe]', 'YAML file of settings; flags override it')
    .option('--out <folder>', 'folder of the run (default: runs/<name of the recipe>)')
    .option(
      '--resume <run>',
      'go on with a run that was stopped; only --max_steps and --data (if it was moved) may change',
    );
  for (const [key, value, description] of FLAGS) command.option(`--${key} ${value}`, description);
  command
    .option(
      '--set <key=value>',
      'any setting of the recipe, such as decoder.n_layers=8; repeatable',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option(
      '--workers <n>',
      'threads: 2 for an update, all for what is computed before; the result does not depend on them',
      workers,
      defaultWorkers,
    )
    .addOption(deviceOption())
    .option('--json', 'print JSON', false)
    .addHelpText('after', () => '\nAll settings, with their defaults: nina train --set help')
    .action(async (recipe: string | undefined, options: Options) => {
      if (options.set.includes('help')) {
        const { describeSettings } = await import('../train/index.ts');
        process.stdout.write(describeSettings());
        return;
      }
      const { run, config } = await prepare(recipe, options);
      const result = await trainWithProgress(run, config, options);
      print(run, result, options.json);
    });
}

/** Trains with progress on stderr; Ctrl-C saves a checkpoint. */
export async function trainWithProgress(
  run: string,
  config: TrainConfig,
  how: { workers: number; device?: NodeDevice },
): Promise<TrainResult> {
  const { train } = await import('../train/index.ts');
  return interruptible((signal) =>
    train(run, config, { signal, report: createReporter(), workers: how.workers, device: how.device }),
  );
}

/** The run's folder and recipe. */
async function prepare(recipe: string | undefined, options: Options): Promise<{ run: string; config: TrainConfig }> {
  const { assignments, flagSettings, readRecipe, readRun, requireNewRun, trainConfig } = await import(
    '../train/index.ts'
  );
  const { UsageError } = await import('../errors.ts');
  // A flag that may stand alone is true then.
  const flags = Object.entries(options).flatMap(([name, value]) =>
    OWN.includes(name) || value === undefined ? [] : [[name, String(value)]],
  );
  const given: Settings = new Map([...flagSettings(Object.fromEntries(flags)), ...assignments(options.set)]);
  if (options.resume !== undefined) {
    const other = [...given.keys()].filter((path) => path !== 'training.max_steps' && path !== 'data');
    if (recipe !== undefined || options.out !== undefined || other.length > 0)
      throw new UsageError(
        `--resume goes on with the recipe of ${options.resume}; only --max_steps and --data may be given with it, not ` +
          `${recipe ?? (options.out !== undefined ? '--out' : other[0])}.`,
      );
    return { run: options.resume, config: readRun(options.resume, given) };
  }
  const config = trainConfig(new Map([...(recipe === undefined ? [] : readRecipe(recipe)), ...given]));
  if (config.data === undefined)
    throw new UsageError("Training needs demonstrations: give --data FOLDER, or 'data' in the recipe.");
  if (options.out === '') throw new UsageError('--out wants the name of a folder; got an empty text.');
  const run = options.out ?? path.join('runs', recipe === undefined ? 'train' : path.parse(recipe).name);
  requireNewRun(run);
  return { run, config };
}

function print(run: string, { steps, checkpoint, metrics }: TrainResult, json: boolean): void {
  if (json) {
    process.stdout.write(`${toJson({ run, checkpoint, steps, ...metrics })}\n`);
    return;
  }
  // Only a density has bits.
  const unit = metrics?.val_bits_per_dim === undefined ? '' : 'nats (negative log-likelihood)';
  const lines = [
    ['training loss', metrics?.loss, unit],
    ['held-out loss', metrics?.val_loss, unit],
    ['', metrics?.val_bits_per_dim, 'bits per dimension'],
    ['nearest of 8, MSE', metrics?.val_best_of_8_mse, ''],
    ['z = 0, MSE', metrics?.val_z0_mse, ''],
  ] as const;
  for (const [name, value, unit] of lines)
    if (value !== undefined) process.stdout.write(`${`${name.padEnd(19)}${value.toPrecision(5)} ${unit}`.trimEnd()}\n`);
  process.stdout.write(`Checkpoint: ${checkpoint}\n`);
}
