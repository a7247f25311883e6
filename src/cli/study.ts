/** `nina study`: measurements of a trained policy that take many evaluations. */
import * as path from 'node:path';
import type { Command } from 'commander';
import { toJson } from '../json.ts';
import type { Mean } from '../statistics/index.ts';
import type { Detection } from '../study/detection.ts';
import type { Acting, LikelihoodStudy, Seams } from '../study/likelihood.ts';
import type { Area } from '../study/roc.ts';
import { defaultFolder } from './eval.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, episodes, integer, workers } from './options.ts';
import { createReporter } from './progress.ts';

interface Options {
  suite: string;
  task?: number;
  episodes: number;
  seed: number;
  workers: number;
  out?: string;
  json?: boolean;
}

export function registerStudy(program: Command): void {
  program
    .command('study')
    .description('measure a trained policy in many evaluations')
    .command('likelihood')
    .description(
      "what NinA's likelihood is good for: choosing the best of K samples, smoothing seams between chunks, noticing disturbances",
    )
    .argument('<checkpoint>', "a checkpoint, or a training run's folder (its newest checkpoint)")
    .requiredOption('--suite <name>', "suite, see 'nina suites'")
    .option('--task <index>', 'only this task of the suite', integer(0))
    .requiredOption('--episodes <n>', 'episodes per task and condition', episodes)
    .requiredOption('--seed <n>', 'seed of initial states, sampling and disturbances', integer(0))
    .option('--workers <n>', 'worker threads; the result does not depend on them', workers, defaultWorkers)
    .option('--out <folder>', 'folder of the episodes (default: that of nina eval, with -likelihood)')
    .option('--json', 'print JSON')
    .action(async (checkpoint: string, { workers, json, out: folder, ...settings }: Options) => {
      const out = folder ?? `${await defaultFolder(checkpoint, settings.suite)}-likelihood`;
      const { studyLikelihood } = await import('../study/likelihood.ts');
      const study = await interruptible((signal) =>
        studyLikelihood(settings, { checkpoint, out, workers, signal, report: createReporter() }),
      );
      if (json) process.stdout.write(`${toJson({ ...study, lines: path.join(out, 'episodes.jsonl') })}\n`);
      else process.stdout.write(formatStudy(study));
    });
}

/** Four Markdown tables. */
function formatStudy({ choice, seams, detection, foresight }: LikelihoodStudy): string {
  const sections = [
    '## Choosing by likelihood\n\n',
    table(
      ['acting', 'executed per chunk', 'success', '95% interval', 'decoding'],
      choice.map((one) => [...actingCells(one), `${one.latency_ms.toFixed(2)} ms`]),
    ),
    '\n## Seams between chunks (means over episodes, 95% interval; seam / inside a chunk)\n\n',
    table(
      [
        'acting',
        'executed per chunk',
        'success',
        '95% interval',
        'jump of the command, mm',
        'acceleration of the hand, m/s2',
      ],
      seams.map((one) => [...actingCells(one), ...seamCells(one)]),
    ),
    '\n## Noticing a disturbance (area under the ROC curve, 95% interval; 0.5 says nothing)\n\n',
    table(
      [
        'disturbance',
        'executed per chunk',
        'success, undisturbed',
        'score',
        'first decision',
        'all decisions',
        'episode',
        'n',
      ],
      detection.flatMap(detectionRows),
    ),
    '\n',
    ...detection.flatMap(({ flagged, perturbation, multistep }) =>
      flagged
        ? `${perturbation}, ${multistep} executed: ${percent(flagged[0])} of the first decisions are above the held-out 95% quantile, ${percent(flagged[1])} undisturbed.\n`
        : [],
    ),
    '\n## Foreseeing failure (area under the ROC curve of the median over the first 4 s, 95% interval)\n\n',
    table(
      ['acting', 'executed per chunk', 'failures', ...Object.keys(foresight[0]?.scores ?? {})],
      foresight.map(({ name, multistep, failures, n, scores }) => [
        ...[name, String(multistep), `${failures}/${n}`],
        ...Object.values(scores).map(area),
      ]),
    ),
  ];
  return sections.join('');
}

const share = (rate: { success_rate: number } | null) => (rate === null ? '–' : percent(rate.success_rate));
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const range = (interval: readonly [number, number] | null, show: (x: number) => string) =>
  interval === null ? '–' : `[${show(interval[0])}, ${show(interval[1])}]`;

const area = ({ auroc, interval }: Area) => {
  const show = (x: number | null) => x?.toFixed(2) ?? '–';
  return `${show(auroc)} ${range(interval, show)}`;
};

const actingCells = ({ name, multistep, successes, n, interval }: Acting) => [
  name,
  String(multistep),
  `${successes}/${n}`,
  range(interval, percent),
];

function seamCells(seams: Seams): string[] {
  const both = (seam: Mean, inside: Mean, scale: number) => {
    const show = (x: number | null) => (x === null ? '–' : (scale * x).toFixed(2));
    return `${show(seam.mean)} ${range(seam.interval, show)} / ${show(inside.mean)}`;
  };
  return [
    both(seams.seam_jump_m, seams.inside_jump_m, 1000),
    both(seams.seam_acceleration, seams.inside_acceleration, 1),
  ];
}

function detectionRows({ perturbation, multistep, success, undisturbed, scores }: Detection): string[][] {
  return Object.entries(scores).map(([score, { first, chunks, episodes }], i) => [
    ...(i === 0 ? [perturbation, String(multistep), `${share(success)}, ${share(undisturbed)}`] : ['', '', '']),
    ...[score, area(first), area(chunks), area(episodes), String(first.n)],
  ]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
