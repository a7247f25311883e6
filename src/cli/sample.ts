/** `nina sample`: the action chunks that a policy draws for one observation, with their log-probabilities, as JSON. */
import { buffer } from 'node:stream/consumers';
import { type Command, Option } from 'commander';
import { NinaError, UsageError } from '../errors.ts';
import { decodeText, toJson } from '../json.ts';
import { POLICY_BACKENDS, type PolicyBackend } from '../policy/backends.ts';
import type { Observation } from '../robot/index.ts';
import { integer, number } from './options.ts';
import { notice } from './progress.ts';

interface Options {
  demo?: number;
  step: number;
  count: number;
  temperature: number;
  seed: number;
  backend?: PolicyBackend | 'auto';
}

/** An observation, and what the demonstrator did then if it comes from a demonstration. */
interface Question {
  observation: Observation;
  demonstrated?: Float32Array;
}

export function registerSample(program: Command): void {
  program
    .command('sample')
    .description('draw action chunks for one observation, with their log-probabilities, the most likely first')
    .argument('<checkpoint>', "a checkpoint, or a training run's folder (its newest checkpoint)")
    .argument('[file]', 'HDF5 file of demonstrations; without it an observation is read as JSON from stdin')
    .option('--demo <n>', 'N of demo_N in the file', integer(0))
    .option('--step <t>', 'control step of the demonstration', integer(0), 0)
    .option('--count <k>', 'chunks to draw', integer(1, 1024), 1)
    .option('--temperature <x>', 'scale of the sampling noise', number(0), 1)
    .option('--seed <n>', 'seed of the sampling noise', integer(0), 0)
    .addOption(
      new Option('--backend <name>', 'what computes the decoder; auto: the fastest exact one here').choices([
        ...POLICY_BACKENDS,
        'auto',
      ]),
    )
    .option('--json', 'print JSON, which is what it does anyway')
    .action(async (checkpoint: string, file: string | undefined, options: Options) => {
      const { loadPolicy } = await import('../policy/index.ts');
      const { key } = await import('../random.ts');
      using policy = await loadPolicy(checkpoint, { backend: options.backend });
      const { observation, demonstrated } = file
        ? await fromDemonstration(file, options, policy.chunkLength)
        : await fromStdin();
      const { temperature, seed, count } = options;
      const drawn = await policy.sample(observation, { key: key(seed), temperature, count });
      const A = policy.config.decoder.action_dim;
      const samples = drawn.actions.map((actions, k) => ({
        ...(drawn.logProb && { log_prob: drawn.logProb[k] }),
        actions: rows(actions, A),
      }));
      // Without a density they stay as drawn.
      samples.sort((a, b) => (b.log_prob ?? 0) - (a.log_prob ?? 0));
      const result = {
        instruction: observation.instruction,
        ...{ temperature, seed, backend: policy.backend },
        samples,
        ...(demonstrated && {
          demonstrated: {
            ...(policy.logProb && { log_prob: (await policy.logProb(observation, demonstrated))[0] }),
            actions: rows(demonstrated, A),
          },
        }),
      };
      process.stdout.write(`${toJson(result)}\n`);
    });
}

const rows = (actions: Float32Array, A: number) =>
  Array.from({ length: actions.length / A }, (_, t) => [...actions.subarray(t * A, (t + 1) * A)]);

async function fromDemonstration(file: string, { demo, step }: Options, T: number): Promise<Question> {
  const { observationAt, openDemonstrations, writeChunk } = await import('../data/index.ts');
  const { actionSize } = await import('../robot/index.ts');
  if (demo === undefined) throw new UsageError(`Say which demonstration of ${file} with --demo.`);
  const source = await openDemonstrations(file, notice);
  const index = source.headers.findIndex((one) => one.demo === demo);
  if (index < 0)
    throw new NinaError(
      `${file} has no demo_${demo}; it has ${source.headers.map((one) => `demo_${one.demo}`).join(', ')}.`,
    );
  const header = source.headers[index];
  if (step >= header.length)
    throw new UsageError(`--step must be below the ${header.length} steps of demo_${demo}; got ${step}.`);
  const rows = await source.frames(index, step, Math.min(step + T, header.length));
  const demonstrated = new Float32Array(T * actionSize(header.robot));
  writeChunk(
    { ...header, actions: rows.actions, length: rows.actions.length / actionSize(header.robot) },
    0,
    demonstrated,
  );
  return { observation: observationAt(header, rows, 0), demonstrated };
}

async function fromStdin(): Promise<Question> {
  const { parseObservation } = await import('./observation.ts');
  const where = 'What came on stdin';
  return { observation: parseObservation(decodeText(await buffer(process.stdin), where), where) };
}
