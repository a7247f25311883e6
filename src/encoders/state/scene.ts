/** The part of an observation that is constant over an episode: who is there and what was asked. */
import { NinaError } from '../../errors.ts';
import type { StateConfig } from './config.ts';
import { requireWords, wordIds } from './words.ts';

/** One row of the graph inputs of these names. */
export interface Scene {
  readonly categories: Float32Array;
  readonly present: Float32Array;
  readonly words: BigInt64Array;
  readonly spoken: Float32Array;
}

/** @throws NinaError for an instruction or category without words, for an unknown word, and for more words or entities than the encoder was trained for. */
export function scene(config: StateConfig, categories: readonly string[], instruction: string): Scene {
  const { max_entities: N, max_words: L } = config;
  const V = config.words.length;
  if (categories.length > N)
    throw new NinaError(
      `The scene has ${categories.length} entities, but the policy was trained on at most ${N}. Retrain it with such scenes.`,
    );
  requireWords({ instruction, categories });
  const ids = wordIds(config, instruction);
  if (ids.length > L)
    throw new NinaError(
      `"${instruction}" has ${ids.length} words, but the policy was trained on at most ${L}. Shorten it or retrain.`,
    );
  const out: Scene = {
    categories: new Float32Array(N * V),
    present: new Float32Array(1 + N).fill(1, 0, 1 + categories.length),
    words: new BigInt64Array(L),
    spoken: new Float32Array(L).fill(1, 0, ids.length),
  };
  categories.forEach((category, n) => {
    const own = wordIds(config, category);
    for (const id of own) out.categories[n * V + id] += 1 / own.length;
  });
  out.words.set(ids.map(BigInt));
  return out;
}

/** Scenes that are kept for one configuration, beyond which they are forgotten: a server may be asked anything. */
const KEPT = 1000;
const known = new WeakMap<StateConfig, Map<string, Scene>>();

/** The same, found again while it lasts: scenes change between tasks, not between steps or a task's episodes. */
export function knownScene(config: StateConfig, categories: readonly string[], instruction: string): Scene {
  const scenes = known.get(config) ?? new Map<string, Scene>();
  known.set(config, scenes);
  const name = JSON.stringify([categories, instruction]);
  const found = scenes.get(name) ?? scene(config, categories, instruction);
  if (scenes.size >= KEPT) scenes.clear();
  scenes.set(name, found);
  return found;
}
