/**
 * `nina bench train`: what the forward and backward pass of one training step cost at the paper's sizes, and what
 * building the program costs. The optimizer is not included, nor is it in bench/compare-pytorch.mjs, which times the
 * same in PyTorch where that is installed.
 */

import { type Contestant, measureInterleaved } from '../bench/measure.ts';
import * as nina from '../decoders/nina/index.ts';
import { cpu } from '../engine/index.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { machine } from '../machine.ts';
import { dropoutInputs } from '../nn/index.ts';
import { dropoutMask, fold, key, normals } from '../random.ts';
import { byPath, feeds, gradOf, input, pack, symbols } from '../tensor/index.ts';
import { notice } from './progress.ts';

/** The paper's best configurations (arXiv 2508.16845), as the reference trains them. */
const PAPER = [
  { name: 'NinA-MLP 28 x 64', config: { backbone: 'mlp', n_layers: 28, affine_dim: 64 } },
  {
    name: 'NinA-Transformer 18 x 256 x 3',
    config: { backbone: 'trans', n_layers: 18, affine_dim: 256, block_depth: 3 },
  },
] as const;

interface Options {
  backbone?: string;
  batch_size: number;
  rounds: number;
  threads: number;
  dropout: boolean;
  json: boolean;
}

interface Step extends Contestant {
  readonly parameters: number;
  readonly nodes: number;
  readonly buildMs: number;
  readonly dispose: () => void;
}

export async function benchTrain(options: Options): Promise<void> {
  const chosen = PAPER.filter(({ config }) => options.backbone === undefined || config.backbone === options.backbone);
  if (chosen.length === 0) throw new UsageError(`--backbone is mlp or trans; got '${options.backbone}'.`);

  const models: Step[] = [];
  for (const { name, config } of chosen) {
    notice(`Building ${name} ...`);
    models.push(await trainingStep(name, nina.ninaSchema.parse(config), options));
  }
  notice(`Measuring ${options.rounds} steps of each, interleaved ...`);
  const timings = await measureInterleaved(models, { warmup: 5, rounds: options.rounds });
  const rssBefore = process.memoryUsage.rss();
  for (const m of models) for (let i = 0; i < options.rounds; i++) await m.run();
  const growthMb = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;

  const result = {
    machine: { ...machine(), engine: cpu.name },
    threads: options.threads,
    batch_size: options.batch_size,
    dropout: options.dropout,
    models: timings.map((t, i) => ({
      ...t,
      parameters: models[i].parameters,
      nodes: models[i].nodes,
      build_ms: models[i].buildMs,
    })),
    memory_growth_mb: growthMb,
  };
  if (options.json) {
    process.stdout.write(`${toJson(result)}\n`);
    return;
  }
  const { cpu: processor, cores, node, engine } = result.machine;
  process.stdout.write(
    `${[
      '| model | parameters | min ms | median ms | p99 ms | build s |',
      '|---|---|---|---|---|---|',
      ...result.models.map(
        (m) =>
          `| ${m.name} | ${(m.parameters / 1e6).toFixed(1)}M | ${m.min_ms.toFixed(1)} | ${m.median_ms.toFixed(1)} | ${m.p99_ms.toFixed(1)} | ${(m.build_ms / 1000).toFixed(2)} |`,
      ),
      '',
      `Batch ${options.batch_size}, ${options.threads} thread(s), ${options.rounds} steps each, dropout ${options.dropout ? 'on' : 'off'}; ${processor}, ${cores} cores, Node ${node}, ${engine}.`,
      `Resident memory grew by ${growthMb.toFixed(1)} MiB over ${options.rounds} more steps of each.`,
    ].join('\n')}\n`,
  );
  for (const m of models) m.dispose();
}

/** A program of loss and gradients with everything it reads and writes preallocated, as the training loop has it. */
async function trainingStep(
  name: string,
  config: nina.NinaConfig,
  { batch_size: batch, threads, dropout }: Options,
): Promise<Step> {
  const model = nina.init(key(0), config);
  const { layout, flat } = pack(model.params);
  const start = performance.now();
  const chunk = [batch, config.chunk_length, config.action_dim];
  const p = symbols(model.params);
  const { dropout: drop, masks } = dropoutInputs(dropout ? config.dropout : 0);
  const [actions, noise] = [input('actions', chunk), input('noise', chunk)];
  const loss = nina.loss(config, model.buffers, p, actions, input('cond', [batch, config.cond_dim]), noise, drop);
  const step = await cpu.compile({ ...byPath(gradOf(loss, p)), loss }, { threads });
  const buildMs = performance.now() - start;

  const numbers = (label: string, n: number) => normals(fold(key(1), label), n);
  const size = batch * config.chunk_length * config.action_dim;
  const into = { ...feeds(layout, new Float32Array(layout.size)), loss: new Float32Array(1) };
  const fed = {
    ...feeds(layout, flat),
    actions: numbers('actions', size).map(Math.tanh),
    noise: numbers('noise', size),
    cond: numbers('cond', batch * config.cond_dim),
    ...Object.fromEntries(
      masks.inputs.map(({ name: mask, shape }, i) => [
        mask,
        dropoutMask(fold(key(2), i), masks.rate, new Float32Array(shape.reduce((a, b) => a * b, 1))),
      ]),
    ),
  };
  return {
    name,
    parameters: layout.size,
    nodes: step.nodes,
    buildMs,
    run: async () => {
      await step.run(fed, into);
    },
    dispose: () => step[Symbol.dispose](),
  };
}
