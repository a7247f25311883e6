/**
 * `nina parity`: does our decoder compute what the reference computed?
 */
import type { Command } from 'commander';
import { NinaError } from '../errors.ts';

export function registerParity(program: Command): void {
  program
    .command('parity')
    .description('compare the NinA decoder with what the reference computed from the same weights and inputs')
    .argument('<file>', 'safetensors fixture: weights, inputs and expected values')
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json }: { json: boolean }) => {
      const { exceeded, parity, QUANTITIES } = await import('../decoders/nina/parity.ts');
      const { errors, limits, worstGradient, dead, ...rest } = await parity(file);
      const beyond = exceeded({ errors, limits, worstGradient, dead, ...rest });
      if (json) {
        const details = { pass: beyond.length === 0, limits, worst_gradient: worstGradient, dead };
        process.stdout.write(`${JSON.stringify({ ...errors, ...details })}\n`);
      } else {
        process.stdout.write('            max|d|/max|ref|    at most\n');
        for (const q of QUANTITIES) {
          const row = `${q.padEnd(12)}${errors[q].toExponential(2).padStart(15)}${limits[q].toExponential(1).padStart(11)}`;
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
