/**
 * Honest timing: what is compared runs interleaved (so that a noisy moment hits all alike), after a warm-up, and the
 * whole distribution is summarised. Used by every `nina bench` command.
 */
import * as os from 'node:os';
import { engineVersion } from '../tensor/index.ts';
import { packageVersion } from '../version.ts';

export interface Timing {
  readonly name: string;
  readonly runs: number;
  readonly min_ms: number;
  readonly median_ms: number;
  readonly p99_ms: number;
}

export interface Contestant {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** Runs every contestant `warmup` times, then `rounds` times in turn. */
export async function measureInterleaved(
  contestants: readonly Contestant[],
  { warmup, rounds }: { warmup: number; rounds: number },
): Promise<Timing[]> {
  for (const c of contestants) for (let i = 0; i < warmup; i++) await c.run();
  const times = contestants.map(() => new Float64Array(rounds));
  for (let round = 0; round < rounds; round++) {
    for (const [i, c] of contestants.entries()) {
      const start = performance.now();
      await c.run();
      times[i]![round] = performance.now() - start;
    }
  }
  return contestants.map(({ name }, i) => {
    const sorted = times[i]!.sort();
    const quantile = (q: number) => sorted[Math.min(rounds - 1, Math.floor(q * rounds))]!;
    return { name, runs: rounds, min_ms: sorted[0]!, median_ms: quantile(0.5), p99_ms: quantile(0.99) };
  });
}

/** What a timing depends on beside the code. */
export function machine(): { cpu: string; cores: number; node: string; engine: string; package: string } {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    node: process.version,
    engine: engineVersion,
    package: packageVersion,
  };
}
