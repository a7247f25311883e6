/**
 * `nina parity`: does our decoder, or our encoder, compute what the reference computed?
 */
import type { Command } from 'commander';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import type { Comparison } from '../fixture.ts';
import { toJson } from '../json.ts';

export function registerParity(program: Command): void {
  program
    .command('parity')
    .description('compare a decoder or an encoder with what the reference computed from the same weights and inputs')
    .argument(
      '<file>',
      'safetensors fixture of a NinA or FLOWER decoder or of a Florence-2 encoder: weights, inputs and expected values',
    )
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json }: { json: boolean }) => {
      const { exceeded } = await import('../fixture.ts');
      const comparison = await compare(file);
      const { errors, limits, worstGradient, dead } = comparison;
      const beyond = exceeded(comparison);
      if (json) {
        const details = { pass: beyond.length === 0, limits, worst_gradient: worstGradient, dead };
        process.stdout.write(`${toJson({ ...errors, ...details })}\n`);
      } else {
        const width = Math.max(12, ...Object.keys(errors).map((q) => q.length + 1));
        process.stdout.write(`${''.padEnd(width)}max|d|/max|ref|    at most\n`);
        for (const [q, error] of Object.entries(errors)) {
          const row = `${q.padEnd(width)}${error.toExponential(2).padStart(15)}${limits[q].toExponential(1).padStart(11)}`;
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

/** The models that have a reference. */
const PARITY: Readonly<Record<string, () => Promise<{ parity(file: string, engine: Engine): Promise<Comparison> }>>> = {
  nina: () => import('../decoders/nina/parity.ts'),
  flower: () => import('../decoders/flower/parity.ts'),
  florence2: () => import('../encoders/florence2/parity.ts'),
};

/** Fixtures of decoders name theirs, but for NinA's, which came first; those of Florence-2 hold transformers' configuration. */
async function compare(file: string): Promise<Comparison> {
  const { readSafetensors } = await import('../safetensors.ts');
  const { cpu } = await import('../engine/index.ts');
  const { metadata } = readSafetensors(file, () => false);
  const model = metadata.decoder ?? ('config_native' in metadata ? 'florence2' : 'nina');
  if (!Object.hasOwn(PARITY, model))
    throw new NinaError(
      `${file} is a fixture of the decoder ${model}; parity knows ${Object.keys(PARITY).join(', ')}.`,
    );
  const { parity } = await PARITY[model]();
  return parity(file, cpu);
}
