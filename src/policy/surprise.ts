/**
 * How unexpected what a policy does is, in nats, and how unusual that is among held-out episodes.
 *
 * The density of a policy's own sample says how sharp the policy is, not how familiar the scene: it answers confidently
 * to nonsense. What tells is whether it goes on as it meant to. At each decision, look back `horizon` steps, to the
 * observation then; the actions executed since and those planned now are a chunk that it could have planned then.
 * Surprise is how many nats less likely that chunk was, given the observation then, than the central chunk (z = 0):
 *
 *   surprise = log p(decode(0 | h) | h) - log p(done, planned | h)
 *
 * The difference, because densities of different moments differ by their sharpness alone.
 */
import * as z from 'zod';
import { ascending, quantile } from '../statistics/index.ts';

/** stats.json: what surprise was on held-out episodes. */
export const surpriseSchema = z.object({
  /** Control steps that surprise looks back. */
  horizon: z.int().min(1),
  /** Decisions that were measured. */
  n: z.int().min(1),
  /** A sample surprises more than the central chunk: each temperature has its scale. */
  scales: z.array(
    z.object({
      temperature: z.number().min(0),
      /** Ascending, evenly spaced from the least to the largest, nats. */
      quantiles: z
        .array(z.number())
        .min(2)
        .refine((all) => all.every((q, i) => i === 0 || q >= all[i - 1]), 'wanted ascending numbers'),
    }),
  ),
});

export type SurpriseStatistics = z.output<typeof surpriseSchema>;

/** The quantiles for one sample a decision at this temperature; undefined if they were not measured. */
export const surpriseScale = (
  statistics: SurpriseStatistics | undefined,
  temperature: number,
): readonly number[] | undefined => statistics?.scales.find((scale) => scale.temperature === temperature)?.quantiles;

/** Half a chunk: as many actions that were done as that are planned. */
export const surpriseHorizon = (chunkLength: number): number => Math.floor(chunkLength / 2);

/** Quantiles that a checkpoint stores: every percent. */
const QUANTILES = 101;

/** `QUANTILES` evenly spaced quantiles of the values. */
export function quantilesOf(values: readonly number[]): number[] {
  const sorted = ascending(values);
  return Array.from({ length: QUANTILES }, (_, i) => quantile(sorted, i / (QUANTILES - 1)));
}

/**
 * The share of the distribution below x, in [0, 1], by linear interpolation between its evenly spaced ascending
 * quantiles; in a run of equal quantiles, the middle of the run.
 */
export function rankIn(quantiles: readonly number[], x: number): number {
  const last = quantiles.length - 1;
  const atMost = quantiles.filter((q) => q <= x).length;
  const below = quantiles.filter((q) => q < x).length;
  if (atMost === 0) return 0;
  if (below > last) return 1;
  if (atMost > below) return (below + atMost - 1) / 2 / last;
  const [low, high] = [quantiles[below - 1], quantiles[below]];
  return (below - 1 + (x - low) / (high - low)) / last;
}
