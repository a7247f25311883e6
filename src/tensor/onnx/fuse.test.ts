/** What is one node of ONNX, and that it computes the same as what it stands for. */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../../test/support/interpreter.ts';
import { cpu } from '../../engine/index.ts';
import { key, normals } from '../../random.ts';
import { grad, input, type Tensor } from '../index.ts';
import * as ops from '../ops.ts';
import { size, topological } from '../tensor.ts';
import { fusions } from './fuse.ts';

const x = input('x', [2, 3, 4]);
const w = input('w', [5, 4]);
const v = input('v', [4, 5]);
const b = input('b', [5]);
const stack = input('stack', [2, 4, 3]);

/** Emitted nodes, without those that only reshape or name a result. */
const CASES: Record<string, { make: () => Tensor; nodes: number; standard?: number }> = {
  'a linear layer': { make: () => ops.linear(x, w, b), nodes: 1 },
  'a linear layer and a factor': { make: () => ops.mul(ops.linear(x, w, b), 3), nodes: 1 },
  'factors of the operands': { make: () => ops.linear(ops.mul(x, 0.5), ops.mul(3, w), b), nodes: 1 },
  'a factor under a reshape': {
    make: () => ops.matmul(ops.reshape(ops.mul(x, 0.5), [6, 4]), w, { transB: true }),
    nodes: 1,
  },
  'factors of a batched product': {
    make: () => ops.mul(ops.matmul(ops.mul(x, 2), stack), 0.3),
    nodes: 1,
    standard: 3,
  },
  // Only one of two users would be served.
  'a product wanted with and without its factor': {
    make: () => {
      const y = ops.linear(x, w);
      return ops.sub(ops.mul(y, 3), y);
    },
    nodes: 3,
  },
  GELU: { make: () => ops.gelu(x), nodes: 1, standard: 5 },
  'GELU between linear layers': {
    make: () => ops.linear(ops.gelu(ops.linear(x, w, b)), v),
    nodes: 3,
    standard: 5,
  },
};

describe.each(Object.entries(CASES))('%s', (_, { make, nodes, standard = nodes }) => {
  it('is so many nodes, and as many in the standard as can be', () => {
    const count = (strict: boolean) => {
      const y = make();
      const { order, fused } = fusions(topological([y]), [y], strict);
      const free = (t: Tensor) => ['input', 'constant', 'reshape'].includes(t.op) && !fused.has(t);
      return order.filter((t) => !free(t)).length;
    };
    expect([count(false), count(true)]).toEqual([nodes, standard]);
  });

  it('is what the interpreter says', async () => {
    const y = make();
    using program = await cpu.compile({ y });
    const feeds = Object.fromEntries(
      Object.entries(program.signature.inputs).map(([name, { shape }]) => [name, normals(key(3), size(shape))]),
    );
    const found = (await program.run(feeds)).y;
    interpret([y], feeds)[0].forEach((wanted, i) => {
      expect(Math.abs(found[i] - wanted)).toBeLessThan(TOLERANCE * (1 + Math.abs(wanted)));
    });
  });
});

/** Roundings of single precision in sums of a few numbers of order 1. */
const TOLERANCE = 4e-6;

describe('GELU in training', () => {
  it('takes nine passes over what is between two linear layers, forward and backward', () => {
    const loss = ops.sum(ops.square(ops.linear(ops.gelu(ops.linear(x, w, b)), v)));
    const gradients = grad(loss, [x, w, b, v]);
    const roots = [loss, ...gradients];
    const { order, fused } = fusions(topological(roots), roots, false);
    const passes = order.filter((t) => size(t.shape) === 30 && !fused.has(t) && t.op !== 'reshape');
    expect(passes.map(({ op }) => op).sort()).toEqual(['add', 'add', 'erf', 'exp', 'gelu', 'mul', 'mul', 'mul', 'sub']);
  });
});
