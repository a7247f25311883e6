/**
 * What computes a decoder: every decoder runs as its graph on ONNX Runtime; one that can be folded for inference also in
 * its folded forms. Backends agree to rounding ('wasm-int8': to the rounding of its weights), not to the bit, so a
 * result records its own.
 */
import { type DecoderConfig, decoderOf } from '../decoders/index.ts';
import type { Engine } from '../engine/engine.ts';
import { UsageError } from '../errors.ts';
import { POLICY_BACKENDS, type PolicyBackend } from './backends.ts';
import { decoderModel, type PolicyModel } from './model.ts';

/**
 * The backend that is meant: the given one if the decoder has it, the decoder's default if none is given; 'auto' measures
 * which exact one is the fastest here and now.
 * @throws UsageError for a backend that this decoder does not have.
 */
export async function resolveBackend(
  { decoder }: { readonly decoder: DecoderConfig },
  model: PolicyModel,
  wanted: PolicyBackend | 'auto' | undefined,
  engine?: Engine,
): Promise<PolicyBackend> {
  const { folding } = decoderOf(decoder);
  const names = POLICY_BACKENDS.filter((name) => name === 'graph' || folding?.backends.includes(name));
  const named = (name: string) => names.find((one) => one === name);
  // Nothing is measured for the default: the same checkpoint is computed alike everywhere.
  const chosen =
    wanted === 'auto' && folding
      ? await folding.fastest(decoder, decoderModel(model), { engine })
      : wanted === undefined || wanted === 'auto'
        ? (folding?.backends[0] ?? 'graph')
        : wanted;
  const found = named(chosen);
  if (found) return found;
  throw new UsageError(
    `--backend ${chosen}: this policy's ${decoder.name} decoder has only ${names.map((one) => `'${one}'`).join(', ')}.`,
  );
}
