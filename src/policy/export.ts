/**
 * A policy's programs as ONNX models for any runtime: what sees (observation to context), what decodes (noise and context to
 * actions), of a flow what scores (actions and context to log-probability), and all of a policy in one. A decoder that can be
 * folded is, but for the last.
 */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { noDropout } from '../nn/index.ts';
import type { ActionSpec } from '../robot/index.ts';
import { add, clamp, constant, freeze, input, mul, type Tensor } from '../tensor/index.ts';
import { emit, type Signature, type WeightsFile } from '../tensor/onnx/emit.ts';
import type { Checkpoint } from './checkpoint.ts';
import { bind, contextShape, decoderModel, derived } from './model.ts';
import type { ExportPart } from './parts.ts';

export interface ExportedModel {
  readonly bytes: Uint8Array;
  /** Inputs and outputs under the names that the file gives them. */
  readonly signature: Signature;
  /** The version of ai.onnx, the standard's operator set, that a runtime must know; it needs no other operators. */
  readonly opset: number;
  /** The model's metadata_props. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * @param file takes the weights, for what a model's own 2 GiB would not hold; they are in the model unless it is given
 * @throws UsageError for the log-probability of a decoder that has none.
 */
export function exportModel(
  checkpoint: Checkpoint,
  part: ExportPart,
  batch: number,
  file?: WeightsFile,
): ExportedModel {
  const { config, manifest } = checkpoint;
  const metadata = {
    format: 'nina-vla',
    part,
    config: toJson(config),
    statistics: toJson(checkpoint.statistics),
    step: String(manifest.step),
    seed: String(manifest.seed),
    data_hash: manifest.data_hash,
    package_version: manifest.package_version,
    model_sha256: manifest.files['model.safetensors'] ?? '',
  };
  const {
    model: bytes,
    signature,
    opset,
  } = emit(policyGraph(checkpoint, part, batch), {
    ...{ standard: true, metadata, file },
  });
  return { bytes, signature, opset, metadata };
}

/** What the file of a part computes; inputs have the names of the encoder's, z, actions and condition. */
export function policyGraph(
  { config, model, directory }: Checkpoint,
  part: ExportPart,
  B: number,
): Record<string, Tensor> {
  const { decoder: settings } = config;
  const { folding, name } = decoderOf(settings);
  const { context, decoder } = bind(config, model, freeze(model.params), freeze(derived(config, model)));
  if (part === 'encoder') return { condition: context(encoderOf(config.encoder).inputs(config.encoder, B), noDropout) };
  const { density, sample } = decoder;
  const chunk = (name: string) => input(name, [B, settings.chunk_length, settings.action_dim]);
  if (part === 'policy') {
    const seen = context(encoderOf(config.encoder).inputs(config.encoder, B), noDropout);
    return { actions: inRange(config.robot.action, sample(chunk('z'), seen)) };
  }
  if (part === 'log-prob' && !density)
    throw new UsageError(`${directory} has a ${name} decoder, which gives no log-probability; a flow does.`);
  if (folding) {
    const graphs = folding.graphs(settings, decoderModel(model));
    return { ...(part === 'decoder' ? graphs.sample(B) : graphs.logProb(B)) };
  }
  const seen = input('condition', contextShape(config, B));
  return density && part === 'log-prob'
    ? { logProb: density.logProb(chunk('actions'), seen) }
    : { actions: sample(chunk('z'), seen) };
}

/** What a decoder answered [.., A], in the robot's units and clamped to its range: see `denormaliseActions`. */
function inRange({ dimensions }: ActionSpec, actions: Tensor): Tensor {
  const of = (value: (range: { low: number; high: number }) => number) =>
    constant(dimensions.map(value), [dimensions.length]);
  const half = of(({ low, high }) => (high - low) / 2);
  return add(
    mul(clamp(actions, -1, 1), half),
    of(({ low, high }) => (low + high) / 2),
  );
}
