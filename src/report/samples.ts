/** Samples of action chunks against a demonstration: does the policy know what the expert does, and its variety? */

import type { Actor } from '../policy/index.ts';
import { fold, key } from '../random.ts';
import { recordAttempt } from '../record/record.ts';
import { actionSize } from '../robot/index.ts';
import { TabletopEnvironment, type Task } from '../sim/index.ts';
import type { ChunkSample } from './chunks.ts';

/** Samples drawn at each step, at the temperature of the density: an evaluation at z = 0 would show the same one again. */
const SAMPLES = 16;
const TEMPERATURE = 1;
/** Where in the demonstration chunks are sampled: shares of its length. */
const PLACES = [0, 0.3, 0.6];

/**
 * Lets the expert demonstrate the task once on a placement of its own, and samples the policy on what it saw.
 * @param views whose pictures the policy asks for
 * @returns one entry per place
 */
export async function sampleChunks(
  task: Task,
  actor: Actor,
  { seed, views }: { seed: number; views: readonly string[] },
): Promise<ChunkSample[]> {
  using environment = await TabletopEnvironment.open(task, { views });
  const { demonstration } = recordAttempt(environment, 0, seed);
  const A = actionSize(actor.robot);
  const size = A * actor.chunkLength;
  const length = demonstration.actions.length / A;
  const stateSize = demonstration.states.length / length;
  const chunks: ChunkSample[] = [];
  for (const place of PLACES) {
    const step = Math.floor(place * length);
    const observation = environment.restore(demonstration.states.subarray(step * stateSize, (step + 1) * stateSize));
    const samples: Float32Array[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      const noise = fold(key(seed), 'report', task.suite, task.name, step, i);
      samples.push((await actor.infer(observation, { key: noise, temperature: TEMPERATURE })).actions);
    }
    chunks.push({
      instruction: task.instruction,
      step,
      demonstration: demonstration.actions.subarray(step * A, step * A + size),
      samples,
    });
  }
  return chunks;
}
