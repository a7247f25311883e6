/**
 * Agreement with the reference: we rebuild the encoder of a fixture from its metadata and weights and compare the tower's
 * stages, features, states of the text encoder, loss and gradients (see ../../fixture.ts).
 */
import * as z from 'zod';
import type { Engine } from '../../engine/engine.ts';
import { NinaError } from '../../errors.ts';
import { type Comparison, floats, relativeError, weightsOf, worstGradient } from '../../fixture.ts';
import { noDropout } from '../../nn/index.ts';
import { key } from '../../random.ts';
import { readSafetensors } from '../../safetensors.ts';
import type { SafetensorsFile, StoredTensor } from '../../safetensors-format.ts';
import {
  byPath,
  feeds,
  grad,
  gradOf,
  input,
  layoutOf,
  leaves,
  mapTree,
  mul,
  type NDArray,
  reshape,
  type Spec,
  sum,
  symbols,
  type Tensor,
  transpose,
  unpack,
  weight,
} from '../../tensor/index.ts';
import { type Florence2Config, schemas, sides, tokensOf } from './config.ts';
import { tower } from './davit.ts';
import { encodeSequence, sequence } from './model.ts';
import { blueprint, type Params } from './params.ts';
import { preprocess } from './pictures.ts';
import { ANY } from './presets.ts';
import { project } from './projector.ts';

const QUANTITIES = [
  'image_features',
  'inputs_embeds',
  'last_hidden_state',
  'last_hidden_state_padding_masked',
  'loss',
] as const;

export type Parity = Comparison<'stages' | (typeof QUANTITIES)[number] | 'grad_max'>;

const LIMIT = 2e-5;
const GRADIENT_LIMIT = 2e-4;

/** The tokenizer's <pad>. */
const PAD = 1;
const FLOW = 'flow_embedding';
/** A table of sines, of which the first row is read: 0, 1, 0, 1. */
const SINES = 'model.multi_modal_projector.visual_temporal_embed.pos_idx_to_embed';

/**
 * Compares our encoder with the fixture in a safetensors file.
 * @throws NinaError if the file is no such fixture, or its weights do not fit its metadata.
 */
export async function parity(file: string, engine: Engine): Promise<Parity> {
  const fixture = readSafetensors(file);
  const { config, batch: B } = configOf(file, fixture);
  const params = paramsOf(file, config, fixture);
  const { image_size: P, views, max_text: L, width: d } = config;
  const { ids, real } = textOf(file, fixture, B * L);
  const M = B * views.length;
  const pixels = pixelsOf(floats(file, fixture, 'images', M * P * P * 3), M, P);

  const p = symbols(params);
  const x = input('pixels', [M, 3, P, P]);
  const { embeds, ends } = tower(config, p.vision_tower, x, noDropout);
  const features = reshape(project(p.multi_modal_projector, ends[3]), [B, views.length, -1, d]);
  const { shared } = params.language_model;
  const row = shared.weight.data.subarray(PAD * d, (PAD + 1) * d);
  const masked = { ids: input('ids', [B, L], 'int64'), real: input('real', [B, L]) };
  const attended = { ...masked, padding: weight(row, [d]) };
  const { tokens } = encodeSequence(config, p, features, attended);
  const S = tokensOf(config);
  const loss = sum(mul(tokens, input('loss_weights', [B, S, d])));
  const stages = Object.fromEntries([
    ...embeds.map((embed, s) => [`embed.${s}`, asMap(config, embed, s)]),
    ...ends.map((end, s) => [`stage.${s}`, asMap(config, end, s)]),
  ]) as Record<string, Tensor>;
  using program = await engine.compile({
    ...stages,
    image_features: features,
    inputs_embeds: sequence(p, features, attended),
    last_hidden_state: tokens,
    last_hidden_state_padding_masked: encodeSequence(config, p, features, masked).tokens,
    pixel_values: grad(loss, [x])[0],
    ...byPath(gradOf(loss, p), 'grad.'),
  });
  const lossWeights = floats(file, fixture, 'loss_weights', B * S * d);
  const flat = new Float32Array(layoutOf(params).size);
  const ours = await program.run(
    {
      ...Object.fromEntries(leaves<NDArray>(params).map(([path, { data }]) => [path, data])),
      ...{ pixels, ids, real, loss_weights: lossWeights },
    },
    feeds(layoutOf(params), flat, 'grad.'),
  );

  // Its terms cancel to a four-hundredth of their size, so their sum is of double precision.
  const total = ours.last_hidden_state.reduce((sum, h, i) => sum + h * lossWeights[i], 0);
  const results: Record<string, Float32Array> = { ...ours, loss: Float32Array.of(total) };
  const relative = (name: string) => relativeError(file, fixture, name, results[name]);
  const gradients = leaves<NDArray>(unpack(params, flat)).map(([path, leaf]): [string, { data: Float32Array }] => [
    path === 'flow_token' ? FLOW : `model.${path}`,
    leaf,
  ]);
  if ('expected.grad.pixel_values' in fixture.tensors) gradients.push(['pixel_values', { data: ours.pixel_values }]);
  const [worst, gradMax] = worstGradient(file, fixture, Object.fromEntries(gradients));
  const errors = {
    stages: Math.max(...Object.keys(stages).map(relative)),
    ...(Object.fromEntries(QUANTITIES.map((name) => [name, relative(name)])) as Record<
      (typeof QUANTITIES)[number],
      number
    >),
    grad_max: gradMax,
  };
  const limits = { ...mapTree(errors, () => LIMIT), grad_max: GRADIENT_LIMIT };
  return { errors, limits, worstGradient: worst, dead: [SINES] };
}

/** Tokens [M, N, C] of a stage as the reference has them, [M, C, H, H]. */
function asMap(config: Florence2Config, x: Tensor, s: number): Tensor {
  const H = sides(config)[s];
  const [M, , C] = x.shape;
  return reshape(transpose(x, [0, 2, 1]), [M, C, H, H]);
}

const count = z.int().min(1);
const stages = z.array(count).length(4);
const metadataSchema = z.object({
  px: count,
  batch: count,
  ...{ dims: stages, heads: stages, groups: stages, depths: stages },
  ...{ window: count, d: count, layers: count, enc_heads: count, ffn: count, vocab: count, positions: count },
});
/** Of transformers' configuration, what the fixture's own does not say. */
const nativeSchema = z.object({
  vision_config: z.object({ patch_size: stages, patch_stride: stages, patch_padding: z.array(z.int()).length(4) }),
});

function configOf(file: string, { metadata, tensors }: SafetensorsFile): { config: Florence2Config; batch: number } {
  const read = metadataSchema.safeParse(parsed(metadata.config));
  const native = nativeSchema.safeParse(parsed(metadata.config_native));
  for (const { error } of [read, native])
    if (error)
      throw new NinaError(`${file} is not a parity fixture: its metadata is wrong.\n${z.prettifyError(error)}`);
  const { px, batch, d, enc_heads, vocab, ...same } = read.data!;
  const { patch_size, patch_stride, patch_padding } = native.data!.vision_config;
  const views = tensors.images?.shape[1] ?? 1;
  const config = schemas(ANY).schema.safeParse({
    name: ANY.name,
    ...same,
    ...{ patch_sizes: patch_size, strides: patch_stride, pads: patch_padding },
    ...{ image_size: px, width: d, encoder_heads: enc_heads, vocabulary: vocab },
    ...{ max_text: tensors.input_ids?.shape[1], views: Array.from({ length: views }, (_, i) => `view ${i}`) },
    shifts: Array.from({ length: views }, () => 0),
  });
  if (!config.success)
    throw new NinaError(`${file} describes an encoder that cannot be.\n${z.prettifyError(config.error)}`);
  return { config: config.data, batch };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return text;
  }
}

/** Our parameters, whose arrays are the fixture's. */
function paramsOf(file: string, config: Florence2Config, fixture: SafetensorsFile): Params<NDArray> {
  const weights: Record<string, StoredTensor> = { ...weightsOf(fixture), [FLOW]: fixture.tensors[FLOW] };
  const plan = blueprint(key(0), config);
  const wanted = new Map(
    leaves<Spec>(plan).map(([path, { shape }]) => [path === 'flow_token' ? FLOW : `model.${path}`, shape]),
  );
  const problems = [
    ...[...wanted].flatMap(([name, shape]) => {
      const found = weights[name] as StoredTensor | undefined;
      if (found?.data instanceof Float32Array && `${found.shape}` === `${shape}`) return [];
      return [`${name} is ${found ? `[${found.shape.join(', ')}]` : 'missing'}, wanted floats [${shape.join(', ')}]`];
    }),
    ...Object.keys(weights)
      .filter((name) => !wanted.has(name) && name !== SINES)
      .map((name) => `${name} is unknown`),
  ];
  if (problems.length > 0) throw new NinaError(`${file}: its weights do not fit its metadata.\n${problems.join('\n')}`);
  return mapTree(plan, ({ shape }: Spec, path) => ({
    shape,
    data: weights[path === 'flow_token' ? FLOW : `model.${path}`].data as Float32Array,
  }));
}

function textOf(file: string, { tensors }: SafetensorsFile, size: number): { ids: BigInt64Array; real: Float32Array } {
  const ids = tensors.input_ids?.data;
  if (!(ids instanceof BigInt64Array) || ids.length !== size)
    throw new NinaError(`${file} has no int64 tensor input_ids of ${size} numbers: it is not a whole parity fixture.`);
  return { ids, real: Float32Array.from(ids, (id) => Number(Number(id) !== PAD)) };
}

/** Pictures [M, P, P, 3] of bytes as the tower reads them. */
function pixelsOf(images: Float32Array, M: number, P: number): Float32Array {
  const size = 3 * P * P;
  const out = new Float32Array(M * size);
  for (let m = 0; m < M; m++) {
    const data = Uint8Array.from(images.subarray(m * size, (m + 1) * size));
    preprocess({ width: P, height: P, data }, { size: P, upsideDown: false }, out, m * size);
  }
  return out;
}
