/** The numbers that a training begins with: weights of `init` where the model has such, drawn ones elsewhere. */
import { isDeepStrictEqual } from 'node:util';
import { NinaError } from '../errors.ts';
import type { blueprint, PolicyConfig, PolicyModel } from '../policy/index.ts';
import { leaves, mapTree, type NDArray, type Spec, type Tree } from '../tensor/index.ts';
import { isUnder } from './frozen.ts';
import type { Init } from './init.ts';

/**
 * @param init undefined to draw everything
 * @param frozen paths of what is not trained, and so may not be drawn
 * @param notice told what of the model is drawn although there are weights to begin with, and what of them is not used
 * @throws NinaError naming parameters that have another shape than their weights, or would stay as they are drawn.
 */
export function beginModel(
  { params, buffers }: ReturnType<typeof blueprint>,
  config: Pick<PolicyConfig, 'encoder' | 'decoder'>,
  init: Init | undefined,
  frozen: readonly string[],
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
  const untrained = init ? drawn.filter((path) => isUnder(path, frozen)) : [];
  if (init && untrained.length > 0)
    throw new NinaError(
      `${init.directory} does not hold ${some(untrained)}, and what is frozen stays as it begins. Freeze less (training.freeze), ` +
        'or begin with weights that hold all of it.',
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
