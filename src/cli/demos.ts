/** `nina demos`: records demonstrations of the scripted expert as LIBERO-layout HDF5 files. */
import type { Command } from 'commander';
import { toJson } from '../json.ts';
import type { RecordingOptions, SuiteRecording } from '../record/demonstrations.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, episodes, integer, workers } from './options.ts';
import { createReporter } from './progress.ts';

interface Options {
  suite: string;
  task?: number;
  episodes: number;
  seed: number;
  out: string;
  images: boolean;
  workers: number;
  json: boolean;
}

export function registerDemos(program: Command): void {
  program
    .command('demos')
    .description('record demonstrations of the scripted expert, one HDF5 file per task')
    .requiredOption('--suite <name>', "suite, see 'nina suites'")
    .option('--task <index>', 'only this task of the suite', integer(0))
    .requiredOption('--episodes <n>', 'attempts per task; the successful ones are kept', episodes)
    .requiredOption('--seed <n>', 'seed of placements and of the expert', integer(0))
    .requiredOption('--out <folder>', 'folder of the files')
    .option('--images', 'record both cameras, 128 x 128 RGB', false)
    .option('--workers <n>', 'worker threads; the result does not depend on them', workers, defaultWorkers)
    .option('--json', 'print JSON', false)
    .action(async (options: Options) => {
      const result = await recordWithProgress(options);
      if (options.json) {
        process.stdout.write(`${toJson(result)}\n`);
        return;
      }
      const total = result.tasks.length * options.episodes;
      const successes = result.tasks.reduce((sum, task) => sum + task.successes, 0);
      for (const task of result.tasks)
        process.stdout.write(`${String(task.successes).padStart(4)}/${task.episodes}  ${task.instruction}\n`);
      process.stdout.write(
        `${String(successes).padStart(4)}/${total}  ${options.suite} (${(100 * result.success_rate).toFixed(1)}%), in ${options.out}\n`,
      );
    });
}

/** Records with progress on stderr; Ctrl-C stops it tidily. */
export async function recordWithProgress(
  options: Omit<RecordingOptions, 'signal' | 'report'>,
): Promise<SuiteRecording> {
  const { recordDemonstrations } = await import('../record/demonstrations.ts');
  return interruptible((signal) => recordDemonstrations({ ...options, signal, report: createReporter() }));
}
