/**
 * Agreement of an imported checkpoint with what the reference computed from the file that it came from: pictures and ids to
 * the encoder's tokens, the condition, and the actions from given noise.
 */
import { decoderOf } from '../decoders/index.ts';
import { preprocess } from '../encoders/florence2/pictures.ts';
import { encoderOf, encoderSchema } from '../encoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { NinaError } from '../errors.ts';
import { type Comparison, floats, relativeTo } from '../fixture.ts';
import { noDropout } from '../nn/index.ts';
import { derived, type PolicyConfig, readCheckpoint } from '../policy/index.ts';
import { readSafetensors } from '../safetensors.ts';
import type { SafetensorsFile } from '../safetensors-format.ts';
import { freeze, input } from '../tensor/index.ts';

export type Parity = Comparison<'features' | 'cond' | 'actions_unclamped' | 'actions'>;

/** The reference ran in double precision, and a flow amplifies the rounding of float32 a hundredfold. */
const LIMIT = 1e-4;

/**
 * @param checkpoint the folder that `nina import` wrote
 * @throws NinaError where the fixture is of another policy, or of none.
 */
export async function parity(file: string, checkpoint: string, engine: Engine): Promise<Parity> {
  const fixture = readSafetensors(file);
  const { config: stored, model } = readCheckpoint(checkpoint);
  const { decoder, encoder, batch: B, pictures, ids } = asked(file, fixture, stored);
  const { chunk_length: T, action_dim: A } = decoder;
  const { tokens } = encoderOf(encoder).encode(
    encoder,
    freeze(model.params.encoder),
    encoderOf(encoder).inputs(encoder, B),
    noDropout,
  );
  const { context, sample } = decoderOf(decoder).bind(
    decoder,
    model.buffers,
    freeze(model.params.decoder),
    freeze(derived({ decoder }, model)),
  );
  // The reference attends to padding as to any word.
  const cond = context(tokens);
  using program = await engine.compile({
    features: tokens,
    cond,
    actions_unclamped: sample(input('z', [B, T, A]), cond),
  });
  const ours = await program.run({
    'florence2.pixels': pictures,
    'florence2.ids': ids,
    'florence2.real': new Float32Array(ids.length).fill(1),
    z: floats(file, fixture, 'z', B * T * A),
  });
  const results: Record<string, Float32Array> = {
    ...ours,
    actions: ours.actions_unclamped.map((x) => Math.min(1, Math.max(-1, x))),
  };
  const kind = (decoder as { backbone?: string }).backbone ?? decoder.name;
  const relative = (name: string, theirs = name) =>
    relativeTo(floats(file, fixture, theirs), file, name, results[name]);
  return {
    errors: {
      features: relative('features'),
      cond: relative('cond'),
      actions_unclamped: relative('actions_unclamped', `${kind}.actions_unclamped`),
      actions: relative('actions', `${kind}.actions`),
    },
    limits: { features: LIMIT, cond: LIMIT, actions_unclamped: LIMIT, actions: LIMIT },
    dead: [],
  };
}

/** The fixture's question, in the sizes of its text and pictures: no weight depends on either. */
function asked(
  file: string,
  fixture: SafetensorsFile,
  { encoder, decoder }: Pick<PolicyConfig, 'encoder' | 'decoder'>,
) {
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
  return { decoder, encoder: config.data, batch: B, pictures, ids };
}
