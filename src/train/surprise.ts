/** What a flow policy's surprise is on held-out episodes: the scale on which its rollouts are judged. */
import type { Episode } from '../data/index.ts';
import { cpu } from '../engine/index.ts';
import {
  buildPolicy,
  NotFiniteError,
  type PolicyParts,
  quantilesOf,
  type SurpriseStatistics,
  surpriseHorizon,
  viewsOf,
} from '../policy/index.ts';
import { fold, type Key } from '../random.ts';
import type { Dataset } from './dataset.ts';
import { type Eyes, observe } from './observe.ts';

/** Decisions that are measured, at most; of pictures, which an encoder takes long to see, fewer. */
const DECISIONS = 400;
const PICTURED_DECISIONS = 100;

/**
 * Plans on what held-out episodes saw, `horizon` steps apart, as if each plan's first half had been executed; at z = 0 and
 * at the temperature that the policy acts with unless told otherwise. Undefined when it has no density, no episode is
 * long enough, or some decision is not finite: such a policy is saved without a scale, and told when it is asked to act.
 */
export async function measureSurprise(
  policy: PolicyParts,
  { episodes }: Pick<Dataset, 'episodes'>,
  eyes: Eyes,
  key: Key,
): Promise<SurpriseStatistics | undefined> {
  const { chunk_length: T, action_dim: A } = policy.config.decoder;
  const horizon = surpriseHorizon(T);
  const pictured = viewsOf(policy.config).length > 0;
  const decisions = horizon === 0 ? [] : chooseDecisions(episodes, horizon, pictured ? PICTURED_DECISIONS : DECISIONS);
  using runnable = await buildPolicy(policy, pictured ? { engine: cpu, backend: 'graph' } : {});
  const { surprise } = runnable;
  if (!surprise || decisions.length === 0) return undefined;
  const measure = async (temperature: number): Promise<number[]> => {
    const found: number[] = [];
    for (const { e, from } of decisions) {
      const episode = episodes[e];
      const plan = async (step: number) =>
        (await runnable.infer(observe(eyes, episode, step), { key: fold(key, e, step), temperature })).actions;
      const chunk = new Float32Array(T * A);
      chunk.set((await plan(from)).subarray(0, horizon * A));
      chunk.set((await plan(from + horizon)).subarray(0, (T - horizon) * A), horizon * A);
      found.push(await surprise(observe(eyes, episode, from), chunk));
    }
    return found;
  };
  try {
    const scales: SurpriseStatistics['scales'] = [];
    for (const temperature of new Set([0, policy.config.acting.temperature]))
      scales.push({ temperature, quantiles: quantilesOf(await measure(temperature)) });
    return { horizon, n: decisions.length, scales };
  } catch (error) {
    // Hours of training are worth a checkpoint all the same.
    if (error instanceof NotFiniteError) return undefined;
    throw error;
  }
}

/** Evenly spread: in episode `e`, looking from `from + horizon` back to `from`. */
function chooseDecisions(episodes: readonly Episode[], horizon: number, most: number): { e: number; from: number }[] {
  const all = episodes.flatMap((episode, e) =>
    Array.from({ length: Math.max(0, Math.ceil(episode.length / horizon) - 1) }, (_, i) => ({ e, from: i * horizon })),
  );
  const stride = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(all.length, most) }, (_, i) => all[Math.floor(i * stride)]);
}
