/** `nina eval`: closed-loop success of a checkpoint, with intervals, videos and a report. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Command, Option } from 'commander';
import type { NodeDevice } from '../engine/engine.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { POLICY_BACKENDS, type PolicyBackend } from '../policy/backends.ts';
import type { EvaluationResult, EvaluationRun } from '../rollout/evaluate.ts';
import { INSTRUCTIONS, type InstructionKind } from '../sim/instructions.ts';
import { PERTURBATIONS, type PerturbationKind } from '../sim/perturbations.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, deviceOption, episodes, integer, number, workers } from './options.ts';
import { createReporter } from './progress.ts';

interface Options {
  suite: string;
  task?: number;
  episodes: number;
  seed: number;
  multistep?: number;
  temperature?: number;
  bestOf?: number;
  consistent?: true;
  backend?: PolicyBackend | 'auto';
  perturb?: PerturbationKind;
  instruct?: InstructionKind;
  video?: boolean;
  workers: number;
  device: NodeDevice;
  out?: string;
  json?: boolean;
}

export function registerEval(program: Command): void {
  program
    .command('eval')
    .description('roll a policy out in closed loop and report its success with 95% intervals')
    .argument('<checkpoint>', "a checkpoint, or a training run's folder (its newest checkpoint)")
    .requiredOption('--suite <name>', "suite, see 'nina suites'")
    .option('--task <index>', 'only this task of the suite', integer(0))
    .requiredOption('--episodes <n>', 'episodes per task', episodes)
    .requiredOption('--seed <n>', 'seed of initial states and sampling; 0: the fixed initial states', integer(0))
    .option('--multistep <n>', 'actions of each chunk to execute (default: as the checkpoint says)', integer(1))
    .option('--temperature <x>', 'scale of the sampling noise (default: as the checkpoint says)', number(0))
    .option('--best-of <k>', 'sample k chunks at a temperature above 0 and execute the most likely', integer(2, 1024))
    .option('--consistent', 'with --best-of: prefer samples that continue the chunk that is being executed')
    .addOption(
      new Option('--backend <name>', 'what computes the decoder; auto: the fastest exact one here').choices([
        ...POLICY_BACKENDS,
        'auto',
      ]),
    )
    .addOption(
      new Option('--perturb <kind>', 'disturb every episode: does the policy notice, and still succeed?').choices(
        PERTURBATIONS,
      ),
    )
    .addOption(
      new Option(
        '--instruct <kind>',
        'ask for what another task asks in the same scene, or in a held-out phrasing: does the instruction matter?',
      ).choices(INSTRUCTIONS),
    )
    .option('--video', 'write an animation of each episode')
    .addOption(deviceOption('of the backends graph and onnx'))
    .option('--workers <n>', 'worker threads; the result does not depend on them', workers, defaultWorkers)
    .option(
      '--out <folder>',
      'folder of the results (default: RUN/eval/SUITE; of one checkpoint: RUN/eval/STEP-SUITE, or eval/NAME-SUITE beside it)',
    )
    .option('--json', 'print JSON')
    .action(async (checkpoint: string, { workers, device, json, out: folder, bestOf, perturb, ...rest }: Options) => {
      const backend = onDevice(rest.backend, device);
      const settings = { ...rest, backend, best_of: bestOf, perturbation: perturb };
      const out = folder ?? (await defaultFolder(checkpoint, settings.suite));
      const { result, report } = await evaluateWithProgress(settings, { checkpoint, out, workers, device });
      const { lines: _, ...summary } = result;
      if (json) {
        process.stdout.write(`${toJson({ ...summary, episodes: path.join(out, 'episodes.jsonl'), report })}\n`);
        return;
      }
      const { formatEvaluation } = await import('./table.ts');
      process.stdout.write(`${formatEvaluation(result)}Report: ${report}\n`);
    });
}

/**
 * What computes the decoder, on that device: of a graphics card the graph as it was trained, unless the caller chooses.
 * @throws UsageError for a backend that runs on the CPU alone.
 */
function onDevice(backend: Options['backend'], device: NodeDevice): Options['backend'] {
  if (device === 'cpu') return backend;
  if (backend === undefined) return 'graph';
  if (backend === 'graph' || backend === 'onnx') return backend;
  throw new UsageError(`The backend ${backend} runs on the CPU: with --device ${device} choose graph or onnx.`);
}

/**
 * Where the results go unless the caller says: into the run, or beside a checkpoint that belongs to none. Never into a
 * checkpoint, because training removes the old ones with all they hold. A link stands for what it points to.
 * @throws NinaError when `location` is neither a checkpoint nor a run.
 */
export async function defaultFolder(location: string, suite: string): Promise<string> {
  const { CHECKPOINTS, findCheckpoint } = await import('../policy/checkpoint.ts');
  if (findCheckpoint(location) !== location) return path.join(location, 'eval', suite);
  const { dir, base } = path.parse(fs.realpathSync(location));
  return path.join(path.basename(dir) === CHECKPOINTS ? path.dirname(dir) : dir, 'eval', `${base}-${suite}`);
}

/** Evaluates with progress on stderr and writes the report; Ctrl-C stops it tidily. */
export async function evaluateWithProgress(
  settings: Parameters<typeof import('../rollout/evaluate.ts').evaluate>[0],
  run: Omit<EvaluationRun, 'signal' | 'report'>,
): Promise<{ result: EvaluationResult; report: string }> {
  const { evaluate } = await import('../rollout/evaluate.ts');
  const { writeReport } = await import('../report/write.ts');
  const report = createReporter();
  const result = await interruptible((signal) => evaluate(settings, { ...run, signal, report }));
  return { result, report: await writeReport(result, run.out) };
}
