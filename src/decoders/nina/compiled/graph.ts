/**
 * The folded decoder as a graph of tensor operations with its weights inside: what runs on ONNX Runtime, here or in a
 * browser, and what `nina export` writes.
 */
import * as math from '../../../math.ts';
import { attention, mergeHeads, splitHeads } from '../../../nn/index.ts';
import {
  add,
  broadcastTo,
  concat,
  exp,
  gather,
  gelu,
  input,
  layerNorm,
  matmul,
  mul,
  neg,
  weight as numbers,
  reshape,
  split,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../../tensor/index.ts';
import type { NinaConfig } from '../config.ts';
import type { Folded } from './folded.ts';
import type { Affine } from './matrix.ts';
import type { Mix } from './mixes.ts';
import type { MlpHidden, MlpNet } from './mlp.ts';
import type { TransformerNet } from './transformer.ts';

/** Inputs z [B, D] and condition [B, C] to actions [B, D], not clamped, and their log p [B] in nats. */
export function sampleGraph(folded: Folded, B: number): { actions: Tensor; logProb: Tensor } {
  const { z, condition, D } = inputs(folded.config, B, 'z');
  const { y, tanhs } = run(folded, 'sample', z, condition);
  return { actions: y, logProb: density(z, tanhs, D, folded.logDet) };
}

/** Inputs actions [B, D] and condition [B, C] to log p [B] in nats. */
export function logProbGraph(folded: Folded, B: number): { logProb: Tensor } {
  const { z: actions, condition, D } = inputs(folded.config, B, 'actions');
  const { y: z, tanhs } = run(folded, 'logProb', actions, condition);
  return { logProb: density(z, tanhs, D, folded.logDet) };
}

function inputs({ chunk_length, action_dim, cond_dim }: NinaConfig, B: number, name: string) {
  const D = chunk_length * action_dim;
  return { z: input(name, [B, D]), condition: input('condition', [B, cond_dim]), D };
}

/** log N(z; 0, I) + log |det dz/da|, where the couplings' part is the sum of all tanh(s), whichever way they ran. */
function density(z: Tensor, tanhs: readonly Tensor[], D: number, logDet: number): Tensor {
  const base = mul(add(sum(square(z), [1]), D * math.log(2 * Math.PI)), -0.5);
  return add(add(base, sum(concat(tanhs, 1), [1])), logDet);
}

/** x [B, D] through all couplings: the result, and tanh(s) [B, D/2] of each. */
function run(folded: Folded, way: 'sample' | 'logProb', x: Tensor, condition: Tensor) {
  const { config, nets, cond } = folded;
  const { steps, finish } = folded[way];
  const half = x.shape[1] / 2;
  const heard = affine(cond, condition);
  const parts = split(
    heard,
    1,
    steps.map(() => cond.outputs / steps.length),
  );
  const tanhs: Tensor[] = [];
  let y = x;
  for (const { layer, mix } of steps) {
    const [y1, y2] = split(applyMix(mix, y), 1, [half, half]) as [Tensor, Tensor];
    const [s, t] =
      nets.kind === 'mlp'
        ? perceptrons(nets.layers[layer], y1, parts[layer])
        : transformer(config, nets.layers[layer], y1, parts[layer]);
    const scale = tanh(s);
    tanhs.push(scale);
    const moved = way === 'sample' ? mul(sub(y2, t), exp(neg(scale))) : add(mul(y2, exp(scale)), t);
    y = concat([y1, moved], 1);
  }
  return { y: applyMix(finish, y), tanhs };
}

function applyMix(mix: Mix, x: Tensor): Tensor {
  return 'order' in mix ? gather(x, 1, mix.order) : affine(mix.matrix, x);
}

/** x [B, inputs] to [B, outputs]. */
function affine({ inputs, outputs, weight, bias }: Affine, x: Tensor): Tensor {
  const y = matmul(x, numbers(weight, [inputs, outputs]));
  return bias ? add(y, numbers(bias, [outputs])) : y;
}

/** y1 [B, D/2] and what both hidden layers hear of the condition [B, 2H] to s and t [B, D/2]. */
function perceptrons({ first, hidden }: MlpNet, y1: Tensor, heard: Tensor): [s: Tensor, t: Tensor] {
  const x = add(affine(first, y1), heard);
  const H = x.shape[1] / 2;
  const next = ({ weight, bias, linear }: MlpHidden, h: Tensor) =>
    affine(linear, gelu(layerNorm(h, numbers(weight, [weight.length]), numbers(bias, [bias.length]))));
  const [s, t] = split(x, 1, [H, H]) as [Tensor, Tensor];
  return hidden.reduce<[Tensor, Tensor]>(
    (pair, [scale, shift]) => [next(scale, pair[0]), next(shift, pair[1])],
    [s, t],
  );
}

/** y1 [B, T/2*A] and what the sub-blocks hear of the condition [B, depth*H] to s and t [B, T/2*A]. */
function transformer(
  { action_dim: A, n_heads }: NinaConfig,
  { input, blocks, widen, narrow }: TransformerNet,
  y1: Tensor,
  heard: Tensor,
): [s: Tensor, t: Tensor] {
  const B = y1.shape[0];
  const tokens = y1.shape[1] / A;
  const H = input.outputs;
  let x = affine(input, reshape(y1, [B * tokens, A]));
  const told = split(
    heard,
    1,
    blocks.map(() => H),
  );
  blocks.forEach(({ qkv, out }, j) => {
    const mixed = attend(affine(qkv, layerNorm(x)), B, n_heads);
    const everyToken = reshape(broadcastTo(reshape(told[j], [B, 1, H]), [B, tokens, H]), [B * tokens, H]);
    x = add(add(x, B === 1 ? told[j] : everyToken), affine(out, mixed));
  });
  const heads = split(gelu(affine(widen, layerNorm(x))), 1, [2 * H, 2 * H]);
  return narrow.map((head, k) => reshape(affine(head, heads[k]), y1.shape)) as [Tensor, Tensor];
}

/** Queries, keys and values [B*S, 3H], the queries scaled, to the heads' answers [B*S, H]. */
function attend(qkv: Tensor, B: number, heads: number): Tensor {
  const S = qkv.shape[0] / B;
  const H = qkv.shape[1] / 3;
  const [q, k, v] = split(qkv, 1, [H, H, H]).map((part) => splitHeads(reshape(part, [B, S, H]), heads));
  return reshape(mergeHeads(attention(q, k, v, { scale: 1 })), [B * S, H]);
}
