/** A NinA decoder in a checkpoint of the reference's policy: `cond_proj` (our pool) and `nf` (the flow). */
import { NinaError, UsageError } from '../../errors.ts';
import { compare, type ForeignTensors, type Known, type Match, type Reference } from '../../reference.ts';
import { actionSize, PANDA } from '../../robot/index.ts';
import type { NDArray, Shape } from '../../tensor/index.ts';
import type { DecoderModel } from '../model.ts';
import { type NinaConfig, ninaSchema } from './config.ts';
import { deadNames, pieces } from './names.ts';
import { expectedShapes, importReference, isInteger, partlyDead, type StateTensor } from './reference.ts';

const FLOW = 'nf.';
const POOL = 'cond_proj.';

export const ninaReference: Reference<NinaConfig & { name: 'nina' }, DecoderModel> = {
  owns: (name) => name.startsWith(FLOW) || name.startsWith(POOL),
  match,
};

function match(
  tensors: ForeignTensors,
  known: Known,
  width: number,
): Match<NinaConfig & { name: 'nina' }, DecoderModel> {
  const config = configOf(tensors, known);
  const dead = deadNames(config);
  const wanted = new Map<string, { shape: Shape; optional?: boolean }>([
    [`${POOL}weight`, { shape: [config.cond_dim, width] }],
    [`${POOL}bias`, { shape: [config.cond_dim] }],
    ...[...expectedShapes(config)].map(([name, shape]) => [FLOW + name, { shape, optional: dead.has(name) }] as const),
  ]);
  const unused = [
    ...[...dead.keys()].map((name) => FLOW + name).filter((name) => tensors.has(name)),
    ...partlyDead(pieces(config)).map((name) => FLOW + name),
  ];
  return {
    config,
    problems: compare(wanted, tensors, isInteger),
    left: unused.length > 0 ? { 'parameters that no output depends on': unused } : {},
    notes: [],
    model() {
      const state = Object.fromEntries([...tensors].map(([name, tensor]) => [name, finite(name, tensor)]));
      const { model } = importReference(config, state);
      const pool = ['weight', 'bias'].map((part) => [part, state[POOL + part] as NDArray]);
      return { params: { pool: Object.fromEntries(pool), flow: model.params }, buffers: model.buffers };
    },
  };
}

function finite(name: string, { shape, read }: { readonly shape: Shape; read(): StateTensor['data'] }): StateTensor {
  const data = read();
  const bad = data instanceof Float32Array ? data.findIndex((x) => !Number.isFinite(x)) : -1;
  if (bad >= 0) throw new NinaError(`${name} is not finite: it holds ${data[bad]} at ${bad}. The file is damaged.`);
  return { shape, data };
}

/** @throws NinaError for weights that have no sizes; UsageError naming an option that is needed. */
function configOf(tensors: ForeignTensors, { settings, options }: Known): NinaConfig & { name: 'nina' } {
  const names = [...tensors.keys()];
  const size = (name: string, axis: number): number => {
    const found = tensors.get(name)?.shape;
    if (found && axis < found.length) return found[axis];
    throw new NinaError(
      `The sizes of the flow cannot be read from the weights: ${name} is ${found ? `[${found.join(', ')}]` : 'missing'}. Is the file a NinA policy?`,
    );
  };
  const count = (pattern: RegExp) =>
    names.reduce((most, name) => Math.max(most, 1 + Number(pattern.exec(name)?.[1] ?? -1)), 0);
  const use_plu = names.some((name) => /^nf\.layers\.\d+\.s$/.test(name));
  const mlp = names.some((name) => /^nf\.layers\.1\.scale_net\./.test(name));
  const net = 'nf.layers.1.net.';
  const A = mlp ? actionSize(PANDA) : size(`${net}input_proj.weight`, 1);
  const permuted = size('nf.layers.0.perm', 0);
  const heads = options.decoderHeads ?? settings.get('n_heads');
  if (!mlp && heads === undefined)
    throw new UsageError(
      'The flow is conditioned by Transformers, and heads leave no trace in the shapes of weights. Give --decoder-heads (the reference has 8 unless told otherwise).',
    );
  const config = ninaSchema.safeParse({
    backbone: mlp ? 'mlp' : 'trans',
    n_layers: count(/^nf\.layers\.(\d+)\./) / (use_plu ? 3 : 2),
    affine_dim: mlp ? size('nf.layers.1.scale_net.net.0.bias', 0) : size(`${net}input_proj.bias`, 0),
    ...(!mlp && { block_depth: count(/^nf\.layers\.1\.net\.subblocks\.(\d+)\./), n_heads: heads }),
    use_plu,
    action_noise_mult: settings.get('action_noise_mult'),
    cond_dim: size(`${POOL}weight`, 0),
    chunk_length: mlp ? permuted / A : permuted,
    action_dim: A,
  });
  if (config.success) return { name: 'nina', ...config.data };
  throw new NinaError(
    `The weights are of a flow that cannot be: ${config.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`,
  );
}
