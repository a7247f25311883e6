/**
 * A policy's programs as ONNX models for any runtime: what sees (state to context), what decodes (noise and context to
 * actions) and, of a flow, what scores (actions and context to log-probability). A NinA decoder is written folded.
 */
import * as decoders from '../decoders/index.ts';
import * as nina from '../decoders/nina/index.ts';
import * as state from '../encoders/state/index.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { noDropout } from '../nn/index.ts';
import { freeze, input, type Tensor } from '../tensor/index.ts';
import { emit, type Signature } from '../tensor/onnx/emit.ts';
import type { Checkpoint } from './checkpoint.ts';
import { context, contextShape } from './model.ts';
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
  const { decoder } = config;
  const frozen = freeze(model.params);
  if (part === 'encoder')
    return { condition: context(config, frozen, state.stateInputs(config.encoder, B), noDropout) };
  const flow = model.params.decoder.nina?.flow;
  if (decoder.decoder === 'nina' && flow) {
    const folded = nina.foldNina(decoder, { params: flow, buffers: model.buffers });
    return part === 'decoder' ? { ...nina.sampleGraph(folded, B) } : nina.logProbGraph(folded, B);
  }
  if (part === 'log-prob')
    throw new UsageError(`${directory} has a ${decoder.decoder} decoder, which gives no log-probability; a flow does.`);
  const z = input('z', [B, decoder.chunk_length, decoder.action_dim]);
  return { actions: decoders.sample(decoder, model, frozen.decoder, z, input('condition', contextShape(config, B))) };
}
