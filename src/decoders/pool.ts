/**
 * What the one-shot decoders see of the encoder: Linear(W -> C) of the mean over its tokens, as in the reference. The
 * diffusion decoder sees every token.
 */
import { initLinear, type Linear, linear } from '../nn/index.ts';
import type { Key } from '../random.ts';
import { mean, type NDArray, type Tensor } from '../tensor/index.ts';

export const initPool = (key: Key, width: number, condDim: number): Linear<NDArray> => initLinear(key, width, condDim);

/** tokens [B, S, W] to the condition [B, C]. */
export const pool = (p: Linear<Tensor>, tokens: Tensor): Tensor => linear(p, mean(tokens, [1]));
