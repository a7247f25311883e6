/**
 * The folded decoder on an engine: one program per direction and batch size, made when first used.
 */

import { ProgramCache } from '../../../engine/cache.ts';
import type { Engine } from '../../../engine/engine.ts';
import { Lifetime } from '../../../lifetime.ts';
import type { CompiledNina } from './compiled.ts';
import { checkCall } from './compiled.ts';
import { type Folded, weightBytes } from './folded.ts';
import { logProbGraph, sampleGraph } from './graph.ts';

/** @param threads inside one operation */
export function compileOnnx(
  folded: Folded,
  { engine, maxBatch, threads }: { engine: Engine; maxBatch: number; threads: number },
): CompiledNina {
  const { chunk_length, action_dim, cond_dim } = folded.config;
  const sizes = { D: chunk_length * action_dim, C: cond_dim, maxBatch };
  const options = { threads, weights: 'packed' } as const;
  const sampling = new ProgramCache(engine, (B) => ({ ...sampleGraph(folded, B) }), options);
  const scoring = new ProgramCache(engine, (B) => logProbGraph(folded, B), options);
  const life = new Lifetime('The compiled decoder', 'compile it again', () => {
    sampling[Symbol.dispose]();
    scoring[Symbol.dispose]();
  });
  // Results and feeds keep their identity from call to call, so the engine's wrappers of them are made once.
  const buffers = new Map<number, ReturnType<typeof buffersOf>>();
  const buffersFor = (B: number) => {
    const known = buffers.get(B);
    if (known) return known;
    const made = buffersOf(B, sizes.D, sizes.C);
    buffers.set(B, made);
    return made;
  };
  return {
    backend: 'onnx',
    maxBatch,
    weightBytes: weightBytes(folded),
    sample: (z, cond, B) =>
      life.during(async () => {
        checkCall('sample', z, cond, B, sizes);
        const program = await sampling.get(B);
        const { x, condition, actions, logProb } = buffersFor(B);
        x.set(z);
        condition.set(cond);
        await program.run({ z: x, condition }, { actions, logProb });
        return { actions, logProb };
      }),
    logProb: (chunk, cond, B) =>
      life.during(async () => {
        checkCall('logProb', chunk, cond, B, sizes);
        const program = await scoring.get(B);
        const { x, condition, logProb } = buffersFor(B);
        x.set(chunk);
        condition.set(cond);
        await program.run({ actions: x, condition }, { logProb });
        return logProb;
      }),
    [Symbol.dispose]: () => life[Symbol.dispose](),
  };
}

const buffersOf = (B: number, D: number, C: number) => ({
  x: new Float32Array(B * D),
  condition: new Float32Array(B * C),
  actions: new Float32Array(B * D),
  logProb: new Float32Array(B),
});
