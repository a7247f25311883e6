/**
 * The reference's state dict, into our parameters. Our names are the reference's, so this only checks names and shapes.
 */
import { NinaError } from '../../errors.ts';
import { key } from '../../random.ts';
import type { StoredTensor } from '../../safetensors-format.ts';
import { layoutOf, mapTree, type NDArray, type Spec } from '../../tensor/index.ts';
import type { FlowerConfig } from './config.ts';
import { blueprint, type Params } from './params.ts';

export interface Imported {
  readonly params: Params<NDArray>;
  /** Tensors that were accepted and left out: the reference builds them and computes nothing from them. */
  readonly unused: string[];
}

/** Two more action spaces, and what embeds the choice among the three. */
export const UNUSED = /^((action_encoders|action_decoders|adaln)\.(joint_single|bimanual_nav)|action_space_embedder)\./;

/**
 * Our parameters from a state dict of the reference, whose arrays they share.
 * @param E width of the encoder's tokens
 * @throws NinaError listing every missing, unexpected and wrongly shaped tensor.
 */
export function importReference(
  config: FlowerConfig,
  E: number,
  state: Readonly<Record<string, StoredTensor>>,
): Imported {
  // Names and shapes; nothing is drawn.
  const plan = blueprint(key(0), config, E);
  const expected = new Map(layoutOf(plan).entries.map(({ path, shape }) => [path, shape]));
  const unused = Object.keys(state).filter((name) => UNUSED.test(name));
  const problems = [
    ...[...expected.keys()].filter((name) => !Object.hasOwn(state, name)).map((name) => `missing: ${name}`),
    ...Object.keys(state)
      .filter((name) => !expected.has(name) && !UNUSED.test(name))
      .map((name) => `unexpected: ${name}`),
    ...[...expected]
      .filter(([name, shape]) => Object.hasOwn(state, name) && `${state[name].shape}` !== `${shape}`)
      .map(([name, shape]) => `shape: ${name} is [${state[name].shape.join(', ')}], wanted [${shape.join(', ')}]`),
    ...[...expected.keys()]
      .filter((name) => state[name]?.data instanceof BigInt64Array)
      .map((name) => `type: ${name} holds integers, wanted floats`),
  ];
  if (problems.length > 0)
    throw new NinaError(
      `The weights do not fit a FLOWER decoder of ${config.n_layers} layers, width ${config.dit_dim}, ${config.n_heads} heads, for tokens of ${E} and actions of ${config.action_dim}. Check the configuration.\n${problems.join('\n')}`,
    );
  const params = mapTree(plan, ({ shape }: Spec, path): NDArray => {
    const { data } = state[path];
    if (!(data instanceof Float32Array)) throw new Error(`Internal: ${path} was checked to hold floats.`);
    return { shape, data };
  });
  return { params, unused };
}
