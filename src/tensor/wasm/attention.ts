/**
 * Softmax attention of few tokens: answer = softmax(q k^T) v, head by head, the queries scaled beforehand.
 */
import type { Assembler, Code, Func, Local } from './assembler.ts';
import { advance, f32, f32x4, i32, repeat, sumLanes, v128 } from './instructions.ts';
import { exp4, scratch } from './math.ts';

export interface AttentionShape {
  readonly heads: number;
  /** Numbers of a head in memory: a multiple of 4. */
  readonly depth: number;
  /** Tokens that attend to each other. */
  readonly tokens: number;
  /** Numbers from token to token: of q | k | v, each head by head, and of the answers. */
  readonly strideIn: number;
  readonly strideOut: number;
}

/** Bytes of the scores of one query. */
export const scoreBytes = (tokens: number): number => 16 * Math.ceil(tokens / 4);

/** Makes exp vanish. */
const NOWHERE = -1e30;

/**
 * attention(qkv, answers, batch). `scores` is the address of `scoreBytes` for itself.
 */
export function attentionKernel(m: Assembler, shape: AttentionShape, scores: number): Func {
  const { heads, depth, tokens, strideIn, strideOut } = shape;
  const parts = Array.from({ length: depth / 4 }, (_, i) => i);
  const groups = Array.from({ length: scoreBytes(tokens) / 16 }, (_, i) => i);
  const [keys, values] = [4 * heads * depth, 8 * heads * depth];
  return m.func('attention', ['i32', 'i32', 'i32'], (scope) => {
    const [qkv, answers, batch] = scope.params as [Local, Local, Local];
    const [head, query, key, from, other, to, at] = scope.locals('i32', 7) as Local[] & { length: 7 };
    const [sum, most, v] = scope.locals('v128', 3) as [Local, Local, Local];
    const [q, answer, weights] = [
      scope.locals('v128', parts.length),
      scope.locals('v128', parts.length),
      scope.locals('v128', groups.length),
    ];
    const math = scratch(scope);
    const score: Code = [
      other.set(i32.add(qkv.get, i32.const(keys))),
      at.set(i32.const(scores)),
      repeat(key, i32.const(tokens), [
        sum.set(f32x4.mul(q[0].get, v128.load(other.get))),
        parts.slice(1).map((i) => sum.set(f32x4.add(sum.get, f32x4.mul(q[i].get, v128.load(other.get, 16 * i))))),
        f32.store(at.get, f32x4.lane(sumLanes(v, sum.get), 0)),
        advance(at, 4),
        advance(other, 4 * strideIn),
      ]),
    ];
    const softmax: Code = [
      groups.map((g) => weights[g].set(v128.load(i32.const(scores), 16 * g))),
      most.set(groups.slice(1).reduce<Code>((max, g) => f32x4.pmax(max, weights[g].get), weights[0].get)),
      most.set(f32x4.pmax(most.get, v128.shuffle32(most.get, most.get, [2, 3, 0, 1]))),
      most.set(f32x4.pmax(most.get, v128.shuffle32(most.get, most.get, [1, 0, 3, 2]))),
      groups.map((g) => weights[g].set(exp4(math, f32x4.sub(weights[g].get, most.get)))),
      sum.set(groups.slice(1).reduce<Code>((total, g) => f32x4.add(total, weights[g].get), weights[0].get)),
      sum.set(f32x4.div(f32x4.const(1), sumLanes(v, sum.get))),
      groups.map((g) => v128.store(i32.const(scores), f32x4.mul(weights[g].get, sum.get), 16 * g)),
    ];
    const mix: Code = [
      other.set(i32.add(qkv.get, i32.const(values))),
      at.set(i32.const(scores)),
      parts.map((i) => answer[i].set(f32x4.const(0))),
      repeat(key, i32.const(tokens), [
        v.set(v128.splat32(at.get)),
        parts.map((i) => answer[i].set(f32x4.add(answer[i].get, f32x4.mul(v.get, v128.load(other.get, 16 * i))))),
        advance(at, 4),
        advance(other, 4 * strideIn),
      ]),
      parts.map((i) => v128.store(to.get, answer[i].get, 16 * i)),
    ];
    return [
      repeat(batch, batch.get, [
        repeat(head, i32.const(heads), [
          from.set(qkv.get),
          to.set(answers.get),
          repeat(query, i32.const(tokens), [
            v128.store(i32.const(scores), f32x4.const(NOWHERE), 16 * (groups.length - 1)),
            parts.map((i) => q[i].set(v128.load(from.get, 16 * i))),
            score,
            softmax,
            mix,
            advance(from, 4 * strideIn),
            advance(to, 4 * strideOut),
          ]),
          advance(qkv, 4 * depth),
          advance(answers, 4 * depth),
        ]),
        advance(qkv, 4 * (tokens * strideIn - heads * depth)),
        advance(answers, 4 * (tokens * strideOut - heads * depth)),
      ]),
    ];
  });
}
