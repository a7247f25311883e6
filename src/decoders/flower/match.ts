/** A FLOWER decoder in a checkpoint of the reference's policy, whose names are ours. */
import { NinaError } from '../../errors.ts';
import { key } from '../../random.ts';
import { compare, type ForeignTensors, type Known, type Match, type Reference } from '../../reference.ts';
import { layoutOf, mapTree, type NDArray, type Spec } from '../../tensor/index.ts';
import type { DecoderModel } from '../model.ts';
import { type FlowerConfig, flowerSchema } from './config.ts';
import { blueprint } from './params.ts';
import { UNUSED } from './reference.ts';

const OURS =
  /^(cond_norm|cond_linear|t_embedder|frequency_embedder|action_encoders|action_decoders|adaln|dit|action_space_embedder)\./;

export const flowerReference: Reference<FlowerConfig & { name: 'flower' }, DecoderModel> = {
  owns: (name) => OURS.test(name),
  match,
};

function match(
  all: ForeignTensors,
  known: Known,
  width: number,
): Match<FlowerConfig & { name: 'flower' }, DecoderModel> {
  const unused = [...all.keys()].filter((name) => UNUSED.test(name));
  const tensors = new Map([...all].filter(([name]) => !UNUSED.test(name)));
  const config = configOf(tensors, known);
  const plan = blueprint(key(0), config, width);
  const wanted = new Map(layoutOf(plan).entries.map(({ path, shape }) => [path, { shape }]));
  return {
    config,
    problems: compare(wanted, tensors),
    left: unused.length > 0 ? { 'parameters of other action spaces': unused } : {},
    notes: [],
    model: () => ({
      params: mapTree(plan, ({ shape }: Spec, name): NDArray => {
        const { dtype, read } = tensors.get(name)!;
        const data = read() as Float32Array;
        const bad = data.findIndex((x) => !Number.isFinite(x));
        if (bad >= 0)
          throw new NinaError(`${name} is not finite: it holds ${data[bad]} at ${bad}. The file is damaged.`);
        return { shape, data, ...((dtype === 'F16' || dtype === 'BF16') && { dtype }) };
      }),
      buffers: {},
    }),
  };
}

/** @throws NinaError for weights that have no sizes. */
function configOf(tensors: ForeignTensors, { settings, options }: Known): FlowerConfig & { name: 'flower' } {
  const size = (name: string, axis: number): number => {
    const found = tensors.get(name)?.shape;
    if (found && axis < found.length) return found[axis];
    throw new NinaError(
      `The sizes of the decoder cannot be read from the weights: ${name} is ${found ? `[${found.join(', ')}]` : 'missing'}. Is the file a FLOWER policy?`,
    );
  };
  const d = size('cond_linear.weight', 0);
  const layers = [...tensors.keys()].map((name) => 1 + Number(/^dit\.(\d+)\./.exec(name)?.[1] ?? -1));
  const config = flowerSchema.safeParse({
    dit_dim: d,
    n_heads: d / size('dit.0.self_attn.q_norm.weight', 0),
    n_layers: Math.max(...layers),
    num_sampling_steps: settings.get('num_sampling_steps'),
    sampling_type: settings.get('sampling_type'),
    chunk_length: options.chunkLength ?? settings.get('act_window_size'),
    action_dim: size('action_encoders.eef_delta.fc1.weight', 1),
  });
  if (config.success) return { name: 'flower', ...config.data };
  throw new NinaError(
    `The weights are of a decoder that cannot be: ${config.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}.`,
  );
}
