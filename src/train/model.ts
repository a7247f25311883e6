/** The numbers that a training begins with: weights of `init` where the model has such, drawn ones elsewhere. */
import { isDeepStrictEqual } from 'node:util';
import { NinaError } from '../errors.ts';
import type { blueprint, PolicyConfig, PolicyModel } from '../policy/index.ts';
import { leaves, mapTree, type NDArray, type Spec, type Tree } from '../tensor/index.ts';
import type { Init } from './init.ts';

/**
 * @param init undefined to draw everything
 * @param notice told what of the model is drawn although there are weights to begin with, and what of them is not used
 * @throws NinaError naming every parameter that has another shape than its weights.
 */
export function beginModel(
  { params, buffers }: ReturnType<typeof blueprint>,
  config: Pick<PolicyConfig, 'encoder' | 'decoder'>,
  init: Init | undefined,
  notice: (text: string) => void,
): PolicyModel {
  const decoder =
    init?.decoder && isDeepStrictEqual(init.decoder.config, config.decoder) ? init.decoder.model : undefined;
  const stored = new Map<string, NDArray>(init ? leaves<NDArray>(init.encoder.params, 'encoder') : []);
  for (const [path, leaf] of decoder ? leaves<NDArray>(decoder.params.decoder as Tree<NDArray>, 'decoder') : [])
    stored.set(path, leaf);
  const wrong: string[] = [];
  const drawn: string[] = [];
  const begun = mapTree(params, (spec: Spec, path): NDArray => {
    const found = stored.get(path);
    stored.delete(path);
    if (!found) {
      drawn.push(path);
      return { shape: spec.shape, data: spec.draw() };
    }
    if (found.shape.join() !== spec.shape.join())
      wrong.push(`${path} is [${found.shape}] there and [${spec.shape}] here`);
    return found;
  });
  if (init && wrong.length > 0)
    throw new NinaError(
      `The weights of ${init.directory} are of another ${config.encoder.name} encoder than this training's: ${some(wrong)}. ` +
        'Put the settings right, or take none of its weights (init_weights=false).',
    );
  if (init) {
    const ofEncoder = drawn.filter((path) => path.startsWith('encoder.'));
    if (ofEncoder.length > 0) notice(`${init.directory} does not hold ${some(ofEncoder)}: drawn.`);
    if (stored.size > 0)
      notice(`${init.directory} holds ${some([...stored.keys()])}, which this training has no use for.`);
    if (!decoder) notice(`${why(init, config.decoder)} The decoder's weights are drawn.`);
  }
  return {
    params: begun,
    buffers: decoder?.buffers ?? Object.fromEntries(Object.entries(buffers).map(([name, { draw }]) => [name, draw()])),
  };
}

/** Why there are no weights for the decoder. */
function why({ directory, decoder }: Init, wanted: PolicyConfig['decoder']): string {
  if (!decoder) return `${directory} holds no decoder.`;
  const there = decoder.config as unknown as Record<string, unknown>;
  const here = wanted as unknown as Record<string, unknown>;
  const differs = Object.keys({ ...here, ...there }).filter((name) => !isDeepStrictEqual(there[name], here[name]));
  const shown = (value: unknown) => JSON.stringify(value) ?? 'nothing';
  const list = differs.map((name) => `${name} is ${shown(here[name])} and there ${shown(there[name])}`);
  return `${directory} holds another decoder: ${some(list)}.`;
}

const SHOWN = 5;

const some = (items: readonly string[]) =>
  items.slice(0, SHOWN).join('; ') + (items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '');
