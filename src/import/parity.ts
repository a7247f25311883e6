/**
 * Agreement of an imported checkpoint with what the reference computed from the file that it came from: pictures and ids to
 * the encoder's tokens, the condition, and the actions from given noise.
 */
import { decoderOf } from '../decoders/index.ts';
import { preprocess } from '../encoders/florence2/pictures.ts';
import { type EncoderConfig, encoderOf, encoderSchema } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import { type Comparison, floats, relativeTo } from '../fixture.ts';
import { noDropout } from '../nn/index.ts';
import { derived, isEncoderFolder, type PolicyParts, readCheckpoint, readEncoderFolder } from '../policy/index.ts';
import { readSafetensors } from '../safetensors.ts';
import type { SafetensorsFile } from '../safetensors-format.ts';
import { clamp, freeze, input, type NDArray, type Tensor, type Tree } from '../tensor/index.ts';

export type Parity = Comparison<string>;

/** The reference ran in double precision, and a flow amplifies the rounding of float32 a hundredfold. */
const LIMIT = 1e-4;

/**
 * @param checkpoint the folder that `nina import` wrote
 * @throws NinaError where the fixture is of another policy, or of none.
 */
export async function parity(file: string, checkpoint: string, engine: Engine): Promise<Parity> {
  const fixture = readSafetensors(file);
  const { encoder: stored, params, policy } = modelOf(checkpoint);
  const { encoder, batch: B, pictures, ids } = asked(file, fixture, stored);
  const inputs = encoderOf(encoder).inputs(encoder, B);
  const { tokens } = encoderOf(encoder).encode(encoder, freeze(params), inputs, noDropout);
  const feeds = {
    'florence2.pixels': pictures,
    'florence2.ids': ids,
    // The reference attends to padding as to any word.
    'florence2.real': new Float32Array(ids.length).fill(1),
  };
  const outputs: Record<string, Tensor> = { features: tokens };
  const theirs: Record<string, string> = { features: 'features' };
  let noise = {};
  if (policy) {
    const { decoder } = policy.config;
    const { chunk_length: T, action_dim: A } = decoder;
    const frozen = freeze(policy.model.params.decoder);
    const { context, sample } = decoderOf(decoder).bind(
      decoder,
      policy.model.buffers,
      frozen,
      freeze(derived(policy.config, policy.model)),
    );
    const cond = context(tokens);
    noise = { z: floats(file, fixture, 'z', B * T * A) };
    outputs.cond = cond;
    outputs.actions_unclamped = sample(input('z', [B, T, A]), cond);
    outputs.actions = clamp(outputs.actions_unclamped, -1, 1);
    // The fixture has the answers of several decoders.
    const kind = (decoder as { backbone?: string }).backbone ?? decoder.name;
    Object.assign(theirs, { cond: 'cond', actions_unclamped: `${kind}.actions_unclamped`, actions: `${kind}.actions` });
  }
  using program = await engine.compile(outputs);
  const ours = await program.run({ ...feeds, ...noise });
  const relative = (name: string) => relativeTo(floats(file, fixture, theirs[name]), file, name, ours[name]);
  return {
    errors: Object.fromEntries(Object.keys(theirs).map((name) => [name, relative(name)])),
    limits: Object.fromEntries(Object.keys(theirs).map((name) => [name, LIMIT])),
    dead: [],
  };
}

function modelOf(folder: string): { encoder: EncoderConfig; params: Tree<NDArray>; policy?: PolicyParts } {
  if (isEncoderFolder(folder)) {
    const { config, params } = readEncoderFolder(folder);
    return { encoder: config, params };
  }
  const policy = readCheckpoint(folder);
  return { encoder: policy.config.encoder, params: policy.model.params.encoder, policy };
}

/** The fixture's question, in the sizes of its text and pictures: no weight depends on either. */
function asked(file: string, fixture: SafetensorsFile, encoder: EncoderConfig) {
  const { images, input_ids } = fixture.tensors;
  const ids = input_ids?.data;
  if (!(ids instanceof BigInt64Array) || input_ids.shape.length !== 2 || images?.shape.length !== 5)
    throw new NinaError(
      `${file} is no fixture of an imported policy: it has no integers input_ids [B, L] and pictures images [B, V, P, P, 3].`,
    );
  const [B, L] = input_ids.shape;
  const [, V, P] = images.shape;
  const config = encoderSchema.safeParse({ ...encoder, image_size: P, max_text: L });
  if (!config.success || encoderOf(encoder).views(encoder).length !== V)
    throw new NinaError(
      `${file} is of ${V} pictures of ${P} pixels and texts of ${L} tokens, and the checkpoint's encoder ${encoder.name} cannot read those: it is of another policy.`,
    );
  const bytes = Uint8Array.from(floats(file, fixture, 'images', B * V * P * P * 3));
  const size = 3 * P * P;
  const pictures = new Float32Array(B * V * size);
  for (let at = 0; at < pictures.length; at += size)
    preprocess(
      { width: P, height: P, data: bytes.subarray(at, at + size) },
      { size: P, upsideDown: false },
      pictures,
      at,
    );
  return { encoder: config.data, batch: B, pictures, ids };
}
