/**
 * The Transformer conditioner as kernel calls. x is the residual stream [B * tokens, H], centred.
 */

import type { Code } from '../../../../tensor/wasm/assembler.ts';
import { attentionKernel, scoreBytes } from '../../../../tensor/wasm/attention.ts';
import { advance, call, i32, repeat } from '../../../../tensor/wasm/instructions.ts';
import { PANEL, roundUp } from '../../../../tensor/wasm/product.ts';
import { addNormKernel, geluKernel } from '../../../../tensor/wasm/rows.ts';
import type { TransformerNet } from '../transformer.ts';
import type { ConditionerCode, Workshop } from './conditioner.ts';
import type { Rows } from './linear.ts';
import { padded } from './places.ts';

export function transformerConditioner(
  { m, memory, linear, places, maxBatch }: Workshop,
  nets: readonly TransformerNet[],
  heads: number,
): ConditionerCode {
  const { tokens, tokenSize, tokenStride, tokenPanels, half } = places;
  const H = nets[0].input.outputs;
  const depth = roundUp(H / heads, 4);
  const width = {
    x: roundUp(H, PANEL),
    qkv: roundUp(3 * heads * depth, PANEL),
    answers: roundUp(heads * depth, PANEL),
    head: roundUp(2 * H, PANEL),
    st: 2 * tokenPanels,
  };
  const most = maxBatch * tokens;
  const rows = (numbers: number): Rows => ({ at: i32.const(memory.reserve(4 * most * numbers)), stride: 4 * numbers });
  const [x, normed, qkv, answers, wide] = [width.x, width.x, width.qkv, width.answers, 2 * width.head].map(rows) as [
    Rows,
    Rows,
    Rows,
    Rows,
    Rows,
  ];
  const st = memory.reserve(4 * most * width.st);
  const nothing = memory.reserve(4 * width.x);
  const addNorm = addNormKernel(m, { width: H, stride: width.x }, tokens);
  const gelu = geluKernel(m);
  const attention = attentionKernel(
    m,
    { heads, depth, tokens, strideIn: width.qkv, strideOut: width.answers },
    memory.reserve(scoreBytes(tokens)),
  );
  const stream = padded(1, H, width.x);
  const token = padded(1, tokenSize, tokenStride);
  // Queries, keys and values, and the answers, head by head.
  const byHead = padded(heads, H / heads, depth);
  const prepared = nets.map((net) => ({
    input: linear.add(net.input, token, stream),
    blocks: net.blocks.map((block) => ({
      qkv: linear.addCompact(block.qkv, stream, padded(3 * heads, H / heads, depth)),
      out: linear.addCompact(block.out, byHead, stream),
    })),
    widen: linear.addCompact(net.widen, stream, padded(2, 2 * H, width.head)),
    narrow: net.narrow.map((head) => linear.add(head, padded(1, 2 * H, width.head), padded(1, tokenSize, tokenPanels))),
  }));
  const part = (numbers: number, from: Code, stride: number): Rows => ({
    at: i32.add(from, i32.const(4 * numbers)),
    stride,
  });
  return {
    heard: padded(nets.length * nets[0].blocks.length, H, width.x),
    st,
    step(layer, { scope, batch, chunk, heard, heardStride }): Code {
      const { input, blocks, widen, narrow } = prepared[layer];
      const all = i32.mul(batch, i32.const(tokens));
      const [row, from, to] = [scope.local('i32'), scope.local('i32'), scope.local('i32')];
      const hear = (address: number, stride: number) =>
        call(addNorm, x.at, i32.const(address), i32.const(stride), normed.at, batch);
      return [
        from.set(i32.const(chunk)),
        to.set(x.at),
        repeat(row, batch, [
          input.apply({ at: from.get, stride: 4 * tokenStride }, { at: to.get, stride: x.stride }, i32.const(tokens)),
          advance(from, 4 * 2 * half),
          advance(to, tokens * x.stride),
        ]),
        hear(nothing, 0),
        blocks.map((block, j) => [
          block.qkv.apply(normed, qkv, all),
          call(attention, qkv.at, answers.at, batch),
          block.out.apply(answers, x, all, x),
          hear(heard + 4 * width.x * j, heardStride),
        ]),
        widen.apply(normed, wide, all),
        call(gelu, wide.at, i32.mul(all, i32.const((2 * width.head) / 4))),
        narrow.map((head, k) =>
          head.apply(
            part(k * width.head, wide.at, wide.stride),
            part(k * tokenPanels, i32.const(st), 4 * width.st),
            all,
          ),
        ),
      ];
    },
  };
}
