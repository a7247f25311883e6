/** What a flow policy's surprise is on held-out episodes: the scale on which its rollouts are judged. */
import { ENTITY_SIZE, type Episode, PROPRIO_SIZE } from '../data/index.ts';
import {
  buildPolicy,
  type Checkpoint,
  quantilesOf,
  type SurpriseStatistics,
  surpriseHorizon,
} from '../policy/index.ts';
import { fold, type Key } from '../random.ts';
import type { Dataset } from './dataset.ts';

/** Decisions that are measured, at most. */
const DECISIONS = 400;

/**
 * Plans on what held-out episodes saw, `horizon` steps apart, as if each plan's first half had been executed; at z = 0 and
 * at the temperature that the policy acts with unless told otherwise. Undefined when it has no density, or no episode is long enough.
 */
export async function measureSurprise(
  policy: Pick<Checkpoint, 'config' | 'statistics' | 'model'>,
  { episodes }: Dataset,
  key: Key,
): Promise<SurpriseStatistics | undefined> {
  const { decoder } = policy.config;
  const horizon = surpriseHorizon(decoder.chunk_length);
  if (horizon === 0) return undefined;
  const A = decoder.action_dim;
  const T = decoder.chunk_length;
  const all = episodes.flatMap((episode, e) =>
    Array.from({ length: Math.max(0, Math.ceil(length(episode) / horizon) - 1) }, (_, i) => ({
      ...{ episode, e, from: i * horizon },
    })),
  );
  const stride = Math.max(1, all.length / DECISIONS);
  const chosen = Array.from({ length: Math.min(all.length, DECISIONS) }, (_, i) => all[Math.floor(i * stride)]!);
  using runnable = await buildPolicy(policy);
  if (!runnable.surprise || chosen.length === 0) return undefined;
  const { surprise } = runnable;
  const measure = async (temperature: number): Promise<number[]> => {
    const found: number[] = [];
    for (const { episode, e, from } of chosen) {
      const plan = async (step: number) =>
        (await runnable.infer(observation(episode, step), { key: fold(key, e, step), temperature })).actions;
      const chunk = new Float32Array(T * A);
      chunk.set((await plan(from)).subarray(0, horizon * A));
      chunk.set((await plan(from + horizon)).subarray(0, (T - horizon) * A), horizon * A);
      found.push(await surprise(observation(episode, from), chunk));
    }
    return found;
  };
  const scales: SurpriseStatistics['scales'] = [];
  for (const temperature of new Set([0, policy.config.temperature]))
    scales.push({ temperature, quantiles: quantilesOf(await measure(temperature)) });
  return { horizon, n: chosen.length, scales };
}

const length = ({ proprio }: Episode) => proprio.length / PROPRIO_SIZE;

function observation({ proprio, entities, categories, instruction }: Episode, step: number) {
  const width = categories.length * ENTITY_SIZE;
  return {
    proprio: proprio.subarray(step * PROPRIO_SIZE, (step + 1) * PROPRIO_SIZE),
    entities: entities.subarray(step * width, (step + 1) * width),
    categories,
    instruction,
  };
}
