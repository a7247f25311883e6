/** `nina replay`: do recorded actions reach the goal again? The first thing to ask when a policy does nothing useful. */
import type { Command } from 'commander';
import { NinaError } from '../errors.ts';
import { toJson } from '../json.ts';
import { integer } from './options.ts';

export function registerReplay(program: Command): void {
  program
    .command('replay')
    .description('replay recorded actions through the simulator and say whether the goal is reached again')
    .argument('<file>', 'HDF5 file of demonstrations')
    .requiredOption('--demo <n>', 'N of demo_N', integer(0))
    .option('--json', 'print JSON', false)
    .action(async (file: string, options: { demo: number; json: boolean }) => {
      const { replay } = await import('../record/replay.ts');
      const result = await replay(file, options.demo);
      const states =
        result.first_difference === null
          ? 'every state equals the recorded one to the bit'
          : `states differ from step ${result.first_difference} on, by at most ${result.max_abs_difference}`;
      process.stdout.write(
        options.json
          ? `${toJson(result)}\n`
          : `demo_${result.demo}, '${result.instruction}': goal ${result.success ? 'reached' : 'NOT reached'} ` +
              `after ${result.steps} steps; ${states}.\n`,
      );
      if (!result.success)
        throw new NinaError(
          `Replaying demo_${result.demo} of ${file} did not reach its goal: the file was recorded by another version ` +
            'of the simulator, or its actions were changed.',
        );
    });
}
