/**
 * Honest timing: what is compared runs interleaved (so that a noisy moment hits all alike), after a warm-up, and the
 * whole distribution is summarised. Used by every `nina bench` command.
 */
import * as z from 'zod';
import { ascending, quantile } from '../statistics/index.ts';

const positive = z.number().positive();

/** Of a schema: what is told of each distribution. */
export const timingShape = { min_ms: positive, median_ms: positive, p99_ms: positive };

export interface Timing {
  readonly name: string;
  readonly runs: number;
  readonly min_ms: number;
  readonly median_ms: number;
  readonly p99_ms: number;
}

export interface Contestant {
  readonly name: string;
  readonly run: () => unknown;
}

export interface Schedule {
  /** Runs of each before anything is measured. */
  readonly warmup: number;
  /** Turns of each. Every round another contestant begins. */
  readonly rounds: number;
  /**
   * How long a turn repeats its contestant, after one run that does not count: it brings back into the caches what the
   * others pushed out. Without it a turn is one run.
   */
  readonly turnMs?: number;
}

/** Measures the contestants in turns. */
export async function measureInterleaved(
  contestants: readonly Contestant[],
  { warmup, rounds, turnMs }: Schedule,
): Promise<Timing[]> {
  for (const c of contestants) for (let i = 0; i < warmup; i++) await c.run();
  const times = contestants.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const at = (round + i) % contestants.length;
      const { run } = contestants[at];
      if (turnMs !== undefined) await run();
      const turn = performance.now();
      let now = turn;
      do {
        const start = performance.now();
        await run();
        now = performance.now();
        times[at].push(now - start);
      } while (now - turn < (turnMs ?? 0));
    }
  }
  return contestants.map(({ name }, i) => ({ name, ...summary(times[i]) }));
}

/** The distribution of some times. */
export function summary(times: readonly number[]): Omit<Timing, 'name'> {
  const sorted = ascending(times);
  const at = (q: number) => quantile(sorted, q);
  return { runs: times.length, min_ms: at(0), median_ms: at(0.5), p99_ms: at(0.99) };
}
