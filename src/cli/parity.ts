/**
 * `nina parity`: does our decoder compute what the reference computed?
 */
import type { Command } from 'commander';
import type { Comparison } from '../decoders/fixture.ts';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import { toJson } from '../json.ts';

export function registerParity(program: Command): void {
  program
    .command('parity')
    .description('compare a decoder with what the reference computed from the same weights and inputs')
    .argument('<file>', 'safetensors fixture of a NinA or FLOWER decoder: weights, inputs and expected values')
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json }: { json: boolean }) => {
      const { exceeded } = await import('../decoders/fixture.ts');
      const comparison = await compare(file);
      const { errors, limits, worstGradient, dead } = comparison;
      const beyond = exceeded(comparison);
      if (json) {
        const details = { pass: beyond.length === 0, limits, worst_gradient: worstGradient, dead };
        process.stdout.write(`${toJson({ ...errors, ...details })}\n`);
      } else {
        process.stdout.write('            max|d|/max|ref|    at most\n');
        for (const [q, error] of Object.entries(errors)) {
          const row = `${q.padEnd(12)}${error.toExponential(2).padStart(15)}${limits[q].toExponential(1).padStart(11)}`;
          process.stdout.write(`${row}${beyond.includes(q) ? '  exceeded' : ''}\n`);
        }
        process.stdout.write(`worst gradient: ${worstGradient}\n`);
        const alike = new Set(dead.map((name) => name.replace(/\.\d+\./g, '.*.')));
        if (alike.size > 0) process.stdout.write(`dead, as no output depends on them: ${[...alike].join(', ')}\n`);
      }
      if (beyond.length > 0)
        throw new NinaError(`${file}: ${beyond.join(', ')} differ from the reference by more than float32 explains.`);
    });
}

/** The decoders that have a reference. */
const PARITY: Readonly<Record<string, () => Promise<{ parity(file: string, engine: Engine): Promise<Comparison> }>>> = {
  nina: () => import('../decoders/nina/parity.ts'),
  flower: () => import('../decoders/flower/parity.ts'),
};

/** The file's metadata says whose decoder it is; fixtures of NinA, which came first, say nothing. */
async function compare(file: string): Promise<Comparison> {
  const { readSafetensors } = await import('../safetensors.ts');
  const { cpu } = await import('../engine/index.ts');
  const { decoder = Object.keys(PARITY)[0] } = readSafetensors(file, () => false).metadata;
  if (!Object.hasOwn(PARITY, decoder))
    throw new NinaError(
      `${file} is a fixture of the decoder ${decoder}; parity knows ${Object.keys(PARITY).join(' and ')}.`,
    );
  const { parity } = await PARITY[decoder]();
  return parity(file, cpu);
}
