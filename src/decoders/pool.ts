/**
 * What the one-shot decoders see of the encoder: Linear(W -> C) of the mean over its tokens, as in the reference. The
 * diffusion decoder sees every token.
 */
import { initLinear, type Linear, linear } from '../nn/index.ts';
import type { Key } from '../random.ts';
import { constant, div, matmul, reshape, type Spec, sum, type Tensor } from '../tensor/index.ts';

export const initPool = (key: Key, width: number, condDim: number): Linear<Spec> => initLinear(key, width, condDim);

/** tokens [B, S, W] to the condition [B, C]; with a mask [B, S] of ones and zeros, of the tokens at ones. */
export const pool = (p: Linear<Tensor>, tokens: Tensor, mask?: Tensor): Tensor => linear(p, meanToken(tokens, mask));

/** The mean of tokens [B, S, W]: [B, W]; with a mask [B, S] of ones and zeros, of the tokens at ones. */
export function meanToken(tokens: Tensor, mask?: Tensor): Tensor {
  const [B, S, W] = tokens.shape as [number, number, number];
  if (!mask && S === 1) return reshape(tokens, [B, W]);
  // A product with a row of 1/S: ONNX Runtime's reduction over a middle axis takes eight times as long.
  const shares = mask
    ? reshape(div(mask, sum(mask, [1], { keepDims: true })), [B, 1, S])
    : constant(new Float32Array(S).fill(1 / S), [1, S]);
  return reshape(matmul(shares, tokens), [B, W]);
}
