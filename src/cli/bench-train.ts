/**
 * `nina bench train`: what a whole training step costs, the quickstart's MLP and the paper's Transformer, and the gradient
 * of an image tower, with one thread and with two. bench/compare-pytorch.mjs times the same in PyTorch where that is
 * installed.
 */
import { measureInterleaved, type Timing } from '../bench/measure.ts';
import { openTower, TOWER_BATCH } from '../bench/tower.ts';
import { openTrainingStep, type TrainingStep } from '../bench/training.ts';
import { cpu } from '../engine/index.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { machine } from '../machine.ts';
import { assignments, trainConfig } from '../train/index.ts';
import { notice } from './progress.ts';

/** The paper's best configurations (arXiv 2508.16845). */
const PAPER = [
  { name: 'NinA-MLP 28 x 64', backbone: 'mlp', settings: ['n_layers=28', 'affine_dim=64'] },
  {
    name: 'NinA-Transformer 18 x 256 x 3',
    backbone: 'trans',
    settings: ['n_layers=18', 'affine_dim=256', 'block_depth=3'],
  },
] as const;
const TOWER = 'tower';
const CHUNKS = 80;
const WORKERS = [1, 2];

interface Options {
  backbone?: string;
  batch_size?: number;
  rounds: number;
  threads: number;
  json: boolean;
}

export async function benchTrain({ backbone, batch_size, rounds, threads, json }: Options): Promise<void> {
  const chosen = PAPER.filter((model) => backbone === undefined || model.backbone === backbone);
  const withTower = backbone === undefined || backbone === TOWER;
  if (chosen.length === 0 && !withTower)
    throw new UsageError(`--backbone is mlp, trans or ${TOWER}; got '${backbone}'.`);

  const steps: TrainingStep[] = [];
  for (const { name, backbone, settings } of chosen) {
    const common = [`training.batch_size=${batch_size ?? CHUNKS}`, `training.threads=${threads}`];
    const own = [`backbone=${backbone}`, ...settings].map((setting) => `decoder.${setting}`);
    for (const workers of WORKERS) {
      notice(`Building ${name} for ${workers} thread(s) ...`);
      steps.push(await openTrainingStep(name, trainConfig(assignments([...common, ...own])), workers));
    }
  }
  for (const workers of withTower ? WORKERS : []) {
    notice(`Building the image tower for ${workers} thread(s) ...`);
    steps.push(await openTower(batch_size ?? TOWER_BATCH, workers, threads));
  }
  notice(`Measuring ${rounds} steps of each, interleaved ...`);
  const timings = await measureInterleaved(steps, { warmup: 5, rounds });
  const rssBefore = process.memoryUsage.rss();
  for (const { run } of steps) for (let i = 0; i < rounds; i++) await run();
  const growthMb = (process.memoryUsage.rss() - rssBefore) / 2 ** 20;
  for (const step of steps) step[Symbol.dispose]();

  const result = summarise(steps, timings, {
    threads,
    batch_size: batch_size ?? (chosen.length > 0 ? CHUNKS : TOWER_BATCH),
    memory_growth_mb: growthMb,
  });
  process.stdout.write(json ? `${toJson(result)}\n` : format(result, rounds));
}

function summarise<More>(steps: readonly TrainingStep[], timings: readonly Timing[], more: More) {
  const models = timings.map((timing, i) => {
    const { workers, parameters, buildMs } = steps[i];
    return { ...timing, workers, parameters, build_ms: buildMs };
  });
  return { machine: { ...machine(), engine: cpu.name }, models, ...more };
}

type Result = ReturnType<typeof summarise<{ threads: number; batch_size: number; memory_growth_mb: number }>>;

function format({ machine, threads, batch_size, models, memory_growth_mb }: Result, rounds: number): string {
  const { cpu: processor, cores, node, engine } = machine;
  return `${[
    '| model | workers | parameters | min ms | median ms | p99 ms | steps/s | build s |',
    '|---|---|---|---|---|---|---|---|',
    ...models.map(
      (m) =>
        `| ${m.name} | ${m.workers} | ${(m.parameters / 1e6).toFixed(1)}M | ${m.min_ms.toFixed(1)} | ${m.median_ms.toFixed(1)} | ${m.p99_ms.toFixed(1)} | ${(1000 / m.median_ms).toFixed(1)} | ${(m.build_ms / 1000).toFixed(2)} |`,
    ),
    '',
    'A whole step: batch, noise, dropout masks, encoder, decoder, AdamW and the average of the weights; of the tower, forward and backward.',
    `Batch ${batch_size}, ${threads} thread(s) inside one operation, ${rounds} steps each; ${processor}, ${cores} cores, Node ${node}, ${engine}.`,
    `Resident memory grew by ${memory_growth_mb.toFixed(1)} MiB over ${rounds} more steps of each.`,
  ].join('\n')}\n`;
}
