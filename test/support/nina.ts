/** NinA decoders for tests of inference, and what the graph that training uses answers. */
import {
  init,
  logProb,
  type Model,
  type NinaConfig,
  type Params,
  pluInverse,
  sampleAndLogProb,
} from '../../src/decoders/nina/index.ts';
import { cpu } from '../../src/engine/index.ts';
import { fold, key, normals } from '../../src/random.ts';
import { freeze, input, mapTree, type NDArray } from '../../src/tensor/index.ts';

/** A decoder none of whose numbers is trivial: fresh ones have norms of 1 and biases of 0. */
export function randomModel(config: NinaConfig, seed: number): Model {
  const model = init(key(seed), config);
  const params = mapTree(model.params, ({ shape, data }: NDArray, path) => {
    const noise = normals(fold(key(seed), path), data.length);
    const scale = path.endsWith('norm.weight') || path.endsWith('bias') ? 0.2 : path.startsWith('plu') ? 0.01 : 0;
    return { shape, data: data.map((v, i) => v + scale * noise[i]) };
  });
  return { ...model, params: params as Params<NDArray> };
}

/** Of x [B, T*A], as noise: actions [B, T*A] and their log p, `drawn` [B]; as actions: their log p, `scored` [B]. */
export async function unfolded(
  config: NinaConfig,
  model: Model,
  x: Float32Array,
  cond: Float32Array,
  B: number,
): Promise<{ actions: Float32Array; drawn: Float32Array; scored: Float32Array }> {
  const { chunk_length: T, action_dim: A, cond_dim: C } = config;
  const p = freeze(model.params);
  const inverses = pluInverse(config, model);
  const frozen = inverses && freeze(inverses);
  const [chunk, condition] = [input('x', [B, T, A]), input('cond', [B, C])];
  const [actions, drawn] = sampleAndLogProb(config, model.buffers, p, chunk, condition, frozen);
  const scored = logProb(config, model.buffers, p, chunk, condition);
  using program = await cpu.compile({ actions, drawn, scored });
  const answer = await program.run({ x, cond });
  return { actions: answer.actions, drawn: answer.drawn, scored: answer.scored };
}

/** The largest difference; NaN if there is none to tell. */
export function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  return Array.from(a).reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
}
