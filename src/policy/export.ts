/**
 * A policy's programs as ONNX models for any runtime: what sees (state to context), what decodes (noise and context to
 * actions) and, of a flow, what scores (actions and context to log-probability). A decoder that can be folded is.
 */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { noDropout } from '../nn/index.ts';
import { freeze, input, type Tensor } from '../tensor/index.ts';
import { emit, type Signature } from '../tensor/onnx/emit.ts';
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

/** @throws UsageError for the log-probability of a decoder that has none. */
export function exportModel(checkpoint: Checkpoint, part: ExportPart, batch: number): ExportedModel {
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
  const { model: bytes, signature, opset } = emit(graphOf(checkpoint, part, batch), { standard: true, metadata });
  return { bytes, signature, opset, metadata };
}

function graphOf({ config, model, directory }: Checkpoint, part: ExportPart, B: number): Record<string, Tensor> {
  const { decoder: settings } = config;
  const { folding, name } = decoderOf(settings);
  const { context, decoder } = bind(config, model, freeze(model.params), freeze(derived(config, model)));
  if (part === 'encoder') return { condition: context(encoderOf(config.encoder).inputs(config.encoder, B), noDropout) };
  const { density, sample } = decoder;
  if (part === 'log-prob' && !density)
    throw new UsageError(`${directory} has a ${name} decoder, which gives no log-probability; a flow does.`);
  if (folding) {
    const graphs = folding.graphs(settings, decoderModel(model));
    return { ...(part === 'decoder' ? graphs.sample(B) : graphs.logProb(B)) };
  }
  const chunk = (name: string) => input(name, [B, settings.chunk_length, settings.action_dim]);
  const seen = input('condition', contextShape(config, B));
  return density && part === 'log-prob'
    ? { logProb: density.logProb(chunk('actions'), seen) }
    : { actions: sample(chunk('z'), seen) };
}
