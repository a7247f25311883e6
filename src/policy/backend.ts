/**
 * What computes a decoder: every decoder runs as its graph on ONNX Runtime; a NinA decoder also folded for inference,
 * on ONNX Runtime or as one WebAssembly function. Backends agree to rounding ('wasm-int8': to the rounding of its
 * weights), not to the bit, so a result records its own.
 */

import type { DecoderConfig } from '../decoders/index.ts';
import * as nina from '../decoders/nina/index.ts';
import { cpu } from '../engine/index.ts';
import { UsageError } from '../errors.ts';
import type { PolicyBackend } from './backends.ts';
import { decoderOf, type PolicyModel } from './model.ts';

/** Nothing is measured for the default: the same checkpoint is computed alike everywhere. */
const DEFAULT: Readonly<Record<DecoderConfig['decoder'], PolicyBackend>> = {
  nina: 'wasm',
  flower: 'graph',
  regression: 'graph',
};

/**
 * The backend that is meant: the given one if the decoder has it, the decoder's default if none is given; 'auto' measures
 * which exact one is the fastest here and now.
 * @throws UsageError for a backend that this decoder does not have.
 */
export async function resolveBackend(
  { decoder }: { readonly decoder: DecoderConfig },
  model: PolicyModel,
  wanted: PolicyBackend | 'auto' | undefined,
): Promise<PolicyBackend> {
  if (wanted === undefined) return DEFAULT[decoder.decoder];
  if (decoder.decoder !== 'nina') {
    if (wanted === 'graph' || wanted === 'auto') return 'graph';
    throw new UsageError(
      `--backend ${wanted} is for NinA decoders. This policy has a ${decoder.decoder} decoder, which has only 'graph'.`,
    );
  }
  if (wanted !== 'auto') return wanted;
  const { params, buffers } = decoderOf(model);
  if (!params.nina) throw new Error('The configuration is of a NinA decoder, but the parameters are not.');
  using fastest = await nina.compileFastest(decoder, { params: params.nina.flow, buffers }, { engine: cpu });
  return fastest.backend;
}
