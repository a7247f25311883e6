/**
 * How many bytes of weights a graph with frozen parameters reads when it runs.
 *
 * What depends on no input is computed once, when the engine loads the graph (constant folding). So a weight is what an
 * operation on inputs takes that does not itself depend on an input, and it is read once by each operation that takes it:
 * a diffusion decoder of four denoising steps reads its weights four times.
 */
import { shareCommon } from '../tensor/onnx/cse.ts';
import { size, type Tensor, topological } from '../tensor/tensor.ts';

export interface Weights {
  /** Bytes that are kept: different weights. */
  readonly residentBytes: number;
  /** Bytes that one run reads. */
  readonly readBytes: number;
}

/** The float32 weights that computing the outputs from the inputs needs. */
export function weightsOf(outputs: readonly Tensor[]): Weights {
  const shared = shareCommon(outputs);
  const moving = new Set<Tensor>();
  const weights = new Set<Tensor>();
  let readBytes = 0;
  for (const t of topological(outputs.map((o) => shared.get(o)!))) {
    if (t.op !== 'input' && !t.args.some((arg) => moving.has(arg))) continue;
    moving.add(t);
    for (const arg of t.args) {
      if (moving.has(arg)) continue;
      weights.add(arg);
      readBytes += bytes(arg);
    }
  }
  return { residentBytes: [...weights].reduce((sum, t) => sum + bytes(t), 0), readBytes };
}

const bytes = (t: Tensor) => size(t.shape) * Float32Array.BYTES_PER_ELEMENT;
