/** What a training that failed tells the user to do: the command it names works, and nothing is left that blocks it. */
import { NinaError } from '../errors.ts';
import { FileError } from '../files.ts';
import type { TrainConfig } from './config.ts';
import { memoryAdvice } from './memory.ts';
import { isRun, savedSteps } from './run.ts';

/** How memory that cannot be had is told by JavaScript and by ONNX Runtime. */
const NO_MEMORY =
  /Invalid (typed )?array length|Invalid array buffer length|[Aa]llocation failed|bad_alloc|bad allocation|[Ff]ailed to allocate/;

/** The failure as a sentence for this run; what is no failure of a kind known here passes unchanged. */
export function explain(error: unknown, run: string, config: TrainConfig): unknown {
  if (error instanceof FileError && error.remedy !== undefined && isRun(run))
    return new NinaError(`${error.told} ${error.remedy}, then go on with: ${resume(run)}`, { cause: error });
  if (error instanceof NinaError || !(error instanceof Error) || !NO_MEMORY.test(error.message)) return error;
  return new NinaError(memoryAdvice(config), { cause: error });
}

export const resume = (run: string) => `nina train --resume ${run}`;

/** What to do after numbers have exploded. */
export function divergedAdvice(run: string): string {
  const step = savedSteps(run).at(-1);
  const good =
    step === undefined ? 'No checkpoint had been saved' : `The last good checkpoint is ${run}/checkpoints/${step}`;
  return `${good}. Look at those episodes, or train again with a lower --learning_rate.`;
}
