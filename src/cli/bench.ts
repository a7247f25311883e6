/** `nina bench ...`: speed on this machine. Each measurement is a file of its own, loaded when it is asked for. */
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { integer } from './options.ts';

export function registerBench(program: Command): void {
  const bench = program.command('bench').description('measure speed on this machine');
  bench
    .command('train')
    .description(
      "a whole training step at the paper's sizes and an image tower's gradient, with one thread and with two",
    )
    .option('--backbone <name>', 'only mlp, only trans or only the tower')
    .option('--batch_size <n>', 'chunks per step, 80 unless given; rows for the tower, 32 unless given', integer(1))
    .option('--rounds <n>', 'measured steps of each', integer(1), 40)
    .option('--threads <n>', 'threads inside one operation', integer(1), 1)
    .option('--json', 'print JSON', false)
    .action(async (options) => (await import('./bench-train.ts')).benchTrain(options));
  bench
    .command('camera')
    .description('one antialiased 128 x 128 frame of each camera')
    .option('--rounds <n>', 'measured frames of each', integer(1), 300)
    .option('--json', 'print JSON', false)
    .action(async (options) => (await import('./bench-camera.ts')).benchCamera(options));
  bench
    .command('devices')
    .description('whether a graphics card computes what the CPU does: encoder, decodes and training steps')
    .option('--json', 'print JSON', false)
    .action(async (options) => (await import('./bench-devices.ts')).benchDevices(options));
  bench
    .command('latency')
    .description("one decode of each model of the paper's latency table, and the limit of this machine")
    .option('--seconds <n>', 'how long to measure, shared equally', integer(1), 60)
    .option('--seed <n>', 'of the random weights', integer(0), 0)
    .option('--only <text>', 'models whose name contains this; Diffusion 330M needs 7 GB')
    .option('--results <file>', 'also the models that nina reproduce trained (results/main.jsonl)')
    .option('--figure <file>', 'draw their success against their latency, as SVG')
    .addOption(
      new Option(
        '--whole',
        'instead a whole decision, pictures to actions, with Florence-2 in three sizes; large needs 5 GB',
      ).conflicts(['seed', 'results', 'figure']),
    )
    .option('--threads <n>', 'of --whole: threads inside one operation; all cores unless given', integer(1))
    .option('--json', 'print JSON', false)
    .action(async ({ whole, ...options }) => {
      if (!whole && options.threads !== undefined)
        throw new UsageError('--threads is of --whole: the decoders alone are measured on one thread.');
      if (whole) await (await import('./bench-whole.ts')).benchWhole(options);
      else await (await import('./bench-latency.ts')).benchLatency(options);
    });
}
