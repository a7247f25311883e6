/**
 * Every operation: its gradient against central differences in float64, its value on ONNX Runtime against the
 * float64 interpreter. A new operation is tested by adding a line to CASES.
 */
import { describe, expect, it } from 'vitest';
import { interpret } from '../../test/support/interpreter.ts';
import { cpu } from '../engine/index.ts';
import { loadRuntime } from '../engine/onnxruntime-node.ts';
import { fold, key, rng } from '../random.ts';
import { constant, conv2d, depthwise3x3, grad, gradOf, input, type Shape, type Tensor } from './index.ts';
import { emit } from './onnx/emit.ts';
import * as ops from './ops.ts';
import { size, topological } from './tensor.ts';

interface Case {
  readonly shapes: readonly Shape[];
  readonly f: (...xs: Tensor[]) => Tensor;
  /** Where the operation is defined and smooth; default [-2, 2]. */
  readonly range?: readonly [number, number];
}

const A: Shape = [2, 3];
const one = (f: (x: Tensor) => Tensor, range?: [number, number], shape: Shape = A): Case => ({
  shapes: [shape],
  f,
  range,
});
const two = (f: (x: Tensor, y: Tensor) => Tensor, a: Shape = A, b: Shape = A, range?: [number, number]): Case => ({
  shapes: [a, b],
  f,
  range,
});
const positive: [number, number] = [0.5, 2];

/** The gradient of <f(z), g> in z where f is linear: a function of g and of what f holds, whose gradient is tested. */
const adjoint = (g: Tensor, f: (z: Tensor) => Tensor, shape: Shape): Tensor => {
  const z = constant(new Float32Array(size(shape)), shape);
  return grad(ops.sum(ops.mul(f(z), g)), [z])[0];
};

const CASES: Record<string, Case> = {
  neg: one(ops.neg),
  exp: one(ops.exp),
  log: one(ops.log, positive),
  sqrt: one(ops.sqrt, positive),
  'abs of positives': one(ops.abs, positive),
  'abs of negatives': one(ops.abs, [-2, -0.5]),
  tanh: one(ops.tanh),
  sin: one(ops.sin),
  cos: one(ops.cos),
  sigmoid: one(ops.sigmoid),
  silu: one(ops.silu),
  erf: one(ops.erf),
  gelu: one(ops.gelu, [-4, 4]),
  reciprocal: one(ops.reciprocal, positive),
  square: one(ops.square),
  'clamp inside': one((x) => ops.clamp(x, -3, 3)),
  'clamp outside': one((x) => ops.clamp(x, -0.1, 0.1), [0.5, 1]),
  add: two(ops.add),
  'add broadcast': two(ops.add, [4, 2, 3], [2, 1]),
  sub: two(ops.sub),
  'sub broadcast': two(ops.sub, [3], [2, 3]),
  mul: two(ops.mul),
  'mul broadcast both ways': two(ops.mul, [4, 1, 3], [2, 1]),
  'mul by itself': one((x) => ops.mul(x, x)),
  'scalars meet': one((x) => ops.mul(ops.mul(2, ops.mul(x, 3)), 0.5)),
  div: two(ops.div, A, A, positive),
  'div broadcast': two(ops.div, [2, 3], [3], positive),
  'sum of all': one((x) => ops.sum(x)),
  'sum of an axis': one((x) => ops.sum(ops.square(x), [0])),
  'sum keeping axes': one((x) => ops.mul(x, ops.sum(x, [-1], { keepDims: true }))),
  mean: one((x) => ops.mean(ops.square(x), [1])),
  'sum of a broadcast, whose adjoint is narrow': two((x, y) => ops.sum(ops.add(ops.tanh(x), y), [0]), [4, 3], [3]),
  matmul: two((a, b) => ops.matmul(a, b), [2, 3], [3, 4]),
  'matmul transA': two((a, b) => ops.matmul(a, b, { transA: true }), [3, 2], [3, 4]),
  'matmul transB': two((a, b) => ops.matmul(a, b, { transB: true }), [2, 3], [4, 3]),
  'matmul transA transB': two((a, b) => ops.matmul(a, b, { transA: true, transB: true }), [3, 2], [4, 3]),
  'matmul batched': two((a, b) => ops.matmul(a, b), [2, 2, 3], [2, 3, 4]),
  'matmul batched transposed': two((a, b) => ops.matmul(a, b, { transA: true, transB: true }), [5, 3, 2], [5, 4, 3]),
  'matmul one left for many': two((a, b) => ops.matmul(a, b, { transB: true }), [2, 3], [5, 4, 3]),
  'matmul many left for one': two((a, b) => ops.matmul(a, b), [5, 2, 3], [3, 4]),
  'matmul plus row': { shapes: [[2, 3], [3, 4], [4]], f: (a, b, c) => ops.add(ops.matmul(a, b), c) },
  'matmul plus matrix': {
    shapes: [
      [2, 3],
      [3, 4],
      [2, 4],
    ],
    f: (a, b, c) => ops.add(c, ops.matmul(a, b)),
  },
  linear: { shapes: [[2, 5, 3], [4, 3], [4]], f: (x, w, b) => ops.linear(x, w, b) },
  softmax: one(ops.softmax),
  layerNorm: one((x) => ops.layerNorm(x), undefined, [2, 3, 5]),
  'layerNorm affine': { shapes: [[4, 5], [5], [5]], f: (x, w, b) => ops.layerNorm(x, w, b) },
  reshape: one((x) => ops.mul(ops.reshape(x, [3, 2]), ops.reshape(ops.exp(x), [3, 2]))),
  'reshape of a narrow adjoint': one((x) => ops.sum(ops.reshape(ops.tanh(x), [3, 2]))),
  transpose: one(
    (x) => ops.mul(ops.transpose(x, [2, 0, 1]), ops.exp(ops.transpose(x, [2, 0, 1]))),
    undefined,
    [2, 3, 4],
  ),
  concat: two((x, y) => ops.square(ops.concat([x, y, x], 1)), [2, 3], [2, 1]),
  'concat of a narrow adjoint': two((x, y) => ops.sum(ops.concat([x, y], 0)), [2, 3], [1, 3]),
  split: one((x) => {
    const [p, q] = ops.split(x, 1, [1, 2]);
    return ops.mul(p, ops.exp(q));
  }),
  'split with an unused piece': one((x) => ops.square(ops.split(x, 0, [1, 1])[1])),
  slice: one((x) => ops.exp(ops.slice(x, 1, 1, 3))),
  pad: one((x) => ops.square(ops.pad(x, 1, 2, 1))),
  broadcastTo: one((x) => ops.square(ops.broadcastTo(x, [4, 2, 3]))),
  'gather permutation': one((x) => ops.exp(ops.gather(x, 1, [2, 0, 1]))),
  conv2d: two((x, w) => conv2d(x, w, { stride: 1, pad: 1 }), [2, 2, 3, 4], [3, 2, 3, 3]),
  'conv2d whose last pixels no window reaches': two(
    (x, w) => conv2d(x, w, { stride: 4, pad: 3 }),
    [2, 1, 8, 10],
    [2, 1, 7, 7],
  ),
  'conv2d without zeros around': two((x, w) => conv2d(x, w, { stride: 2, pad: 0 }), [1, 2, 5, 4], [1, 2, 2, 2]),
  'adjoint of conv2d in the picture': two(
    (w, g) => adjoint(g, (x) => conv2d(x, w, { stride: 2, pad: 1 }), [2, 2, 5, 4]),
    [2, 2, 3, 3],
    [2, 2, 3, 2],
  ),
  'adjoint of conv2d in the kernel': two(
    (x, g) => adjoint(g, (w) => conv2d(x, w, { stride: 2, pad: 1 }), [2, 2, 3, 3]),
    [2, 2, 5, 4],
    [2, 2, 3, 2],
  ),
  depthwise3x3: two((x, w) => depthwise3x3(x, w, [3, 4]), [2, 12, 3], [3, 1, 3, 3]),
  'depthwise3x3 with the picture': two(
    (x, w) => depthwise3x3(x, w, [2, 3], { residual: true }),
    [2, 6, 2],
    [2, 1, 3, 3],
  ),
  'depthwise3x3 of a batch': two((x, w) => depthwise3x3(x, w, [2, 3], { residual: true }), [16, 6, 2], [2, 1, 3, 3]),
  'depthwise3x3 of a batch of larger pictures': two((x, w) => depthwise3x3(x, w, [5, 13]), [16, 65, 1], [1, 1, 3, 3]),
  'depthwise3x3 of a batch, in strips of two rows': two(
    (x, w) => depthwise3x3(x, w, [4, 17], { residual: true }),
    [16, 68, 1],
    [1, 1, 3, 3],
  ),
  'conv2d whose last row and columns no window reaches, beyond the zeros': two(
    (x, w) => conv2d(x, w, { stride: 4, pad: 1 }),
    [2, 1, 9, 7],
    [2, 1, 3, 3],
  ),
  'adjoint of depthwise3x3 in the picture': two(
    (w, g) => adjoint(g, (x) => depthwise3x3(x, w, [2, 3], { residual: true }), [16, 6, 2]),
    [2, 1, 3, 3],
    [16, 6, 2],
  ),
  'adjoint of depthwise3x3 in the kernel': two(
    (x, g) => adjoint(g, (w) => depthwise3x3(x, w, [2, 3]), [2, 1, 3, 3]),
    [2, 6, 2],
    [2, 6, 2],
  ),
  'gather with repeats': one((x) => ops.exp(ops.gather(x, 0, [1, 1, 0, 1])), undefined, [3, 4]),
};

/** Float64 central differences with h = 1e-5 leave an error of about h^2 + eps/h, below 1e-8. */
const GRADIENT_TOLERANCE = 1e-7;
/** The runtime's float32 kernels, on values of order one. */
const VALUE_TOLERANCE = 2e-6;

const randomInput = (seed: number, shape: Shape, [lo, hi]: readonly [number, number]) => {
  const r = rng(fold(key(7), seed));
  return Float64Array.from({ length: size(shape) }, () => Math.fround(r.uniform(lo, hi)));
};

describe.each(Object.entries(CASES))('%s', (_, { shapes, f, range = [-2, 2] }) => {
  const inputs = shapes.map((shape, i) => input(`x${i}`, shape));
  const y = f(...inputs);
  // A fixed random weighting makes a scalar whose gradient exercises every entry of the Jacobian.
  const weights = input('w', y.shape);
  const loss = ops.sum(ops.mul(y, weights));
  const gradients = grad(loss, inputs);
  const feeds: Record<string, Float64Array> = { w: randomInput(99, y.shape, [0.5, 1.5]) };
  shapes.forEach((shape, i) => {
    feeds[`x${i}`] = randomInput(i, shape, range);
  });

  it('has the gradient that central differences have', () => {
    const analytic = interpret(gradients, feeds);
    shapes.forEach((shape, i) => {
      expect(gradients[i].shape).toEqual(shape);
      const x = feeds[`x${i}`];
      const h = 1e-5;
      x.forEach((value, j) => {
        x[j] = value + h;
        const up = interpret([loss], feeds)[0][0];
        x[j] = value - h;
        const down = interpret([loss], feeds)[0][0];
        x[j] = value;
        const difference = (up - down) / (2 * h);
        expect(Math.abs(analytic[i][j] - difference)).toBeLessThan(GRADIENT_TOLERANCE * (1 + Math.abs(difference)));
      });
    });
  });

  it('gives on ONNX Runtime what the interpreter gives', async () => {
    const outputs = { y, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) };
    using program = await cpu.compile(outputs);
    const used = Object.fromEntries(
      Object.keys(program.signature.inputs).map((name) => [name, Float32Array.from(feeds[name])]),
    );
    const results = await program.run(used);
    expectInterpreted(outputs, results);
  });

  it('gives the same as a model for any runtime, in the lowest version of ai.onnx', async () => {
    const outputs = { y, ...Object.fromEntries(gradients.map((g, i) => [`g${i}`, g])) };
    const { model, signature } = emit(outputs, { standard: true });
    const ort = await loadRuntime();
    // The engine judges each node by the version that the file asks for.
    const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
    const used = Object.entries(signature.inputs).map(([name, { shape }]) => [
      name,
      new ort.Tensor('float32', Float32Array.from(feeds[name]), shape),
    ]);
    const answers = Object.entries(await session.run(Object.fromEntries(used)));
    await session.release();
    expectInterpreted(outputs, Object.fromEntries(answers.map(([name, { data }]) => [name, data as Float32Array])));
  });

  function expectInterpreted(outputs: Record<string, Tensor>, results: Record<string, Float32Array>): void {
    const expected = interpret(Object.values(outputs), feeds);
    Object.keys(outputs).forEach((name, i) => {
      expected[i].forEach((e, j) => {
        expect(Math.abs(results[name][j] - e)).toBeLessThan(VALUE_TOLERANCE * (1 + Math.abs(e)));
      });
    });
  }
});

describe('embed', () => {
  it('looks up rows and accumulates their gradients', async () => {
    const table = input('table', [4, 2]);
    const ids = input('ids', [3], 'int64');
    const y = ops.embed(table, ids);
    const [g] = grad(ops.sum(ops.square(y)), [table]);
    using program = await cpu.compile({ y, g: g });
    const feed = { table: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), ids: BigInt64Array.of(3n, 1n, 3n) };
    const out = await program.run(feed);
    expect([...out.y]).toEqual([6, 7, 2, 3, 6, 7]);
    expect([...out.g]).toEqual([0, 0, 4, 6, 0, 0, 24, 28]);
  });
});

describe('scatterAdd', () => {
  const ids = input('ids', [2, 3], 'int64');
  const feed = BigInt64Array.of(4n, 1n, 4n, 0n, 4n, 1n);

  it('adds up rows of one id, and its gradient gives each row what its id got', async () => {
    const rows = input('rows', [2, 3, 2]);
    const table = ops.scatterAdd(rows, ids, 6);
    const [g] = grad(ops.sum(ops.mul(ops.square(table), 0.5)), [rows]);
    const outputs = { table, g };
    const data = Float32Array.from({ length: 12 }, (_, i) => i);
    // Several threads must not lose additions to one row.
    using program = await cpu.compile(outputs, { threads: 4 });
    const out = await program.run({ rows: data, ids: feed });
    expect([...out.table]).toEqual([6, 7, 12, 14, 0, 0, 0, 0, 12, 15, 0, 0]);
    expect([...out.g]).toEqual([12, 15, 12, 14, 12, 15, 6, 7, 12, 15, 12, 14]);
    expect(interpret([table, g], { rows: data, ids: [4, 1, 4, 0, 4, 1] }).map((v) => [...v])).toEqual([
      [...out.table],
      [...out.g],
    ]);
  });

  it('adds thousands of rows of few ids exactly, on several threads', async () => {
    const [N, E] = [3000, 64];
    const table = ops.scatterAdd(input('rows', [N, E]), input('ids', [N], 'int64'), 10);
    using program = await cpu.compile({ table }, { threads: 4 });
    const ids = BigInt64Array.from({ length: N }, (_, i) => BigInt(i % 3));
    const found = await program.run({ rows: new Float32Array(N * E).fill(1), ids });
    expect(found.table).toEqual(Float32Array.from({ length: 10 * E }, (_, i) => (i < 3 * E ? N / 3 : 0)));
  });

  it('an embedding of a large vocabulary has no tensor of ids by vocabulary, in its gradient either', () => {
    const [V, E, B, L] = [51289, 768, 80, 36];
    const table = input('table', [V, E]);
    const loss = ops.sum(ops.square(ops.embed(table, input('ids', [B, L], 'int64'))));
    const largest = Math.max(
      ...topological([grad(loss, [table])[0]])
        .filter(({ shape }) => !(shape[0] === V && shape[1] === E))
        .map(({ shape }) => size(shape)),
    );
    expect(largest).toBe(B * L * E);
  });

  it('refuses rows without an id', () => {
    expect(() => ops.scatterAdd(input('rows', [2, 2, 5]), ids, 4)).toThrow(
      'scatterAdd needs one row per int64 id; got rows [2, 2, 5] and int64 [2, 3].',
    );
  });
});

describe('gradOf', () => {
  it('is grad with the leaves of a tree, as that tree', () => {
    const tree = { a: input('a', [2]), rest: [input('b', [2])] };
    const { a, rest } = gradOf(ops.sum(ops.mul(tree.a, ops.square(tree.rest[0]))), tree);
    const [da, db] = interpret([a, rest[0]], { a: [1, 2], b: [3, 4] });
    expect([...da]).toEqual([9, 16]);
    expect([...db]).toEqual([6, 16]);
  });
});

describe('errors name the shapes', () => {
  const x = input('x', [2, 3]);
  it.each<[string, () => unknown, string]>([
    ['broadcast', () => ops.add(x, input('y', [4])), 'add needs shapes that broadcast; got [2, 3] and [4] (axis -1).'],
    ['matmul', () => ops.matmul(x, x), 'matmul contracts 3 with 2: shapes [2, 3] and [2, 3].'],
    ['reshape', () => ops.reshape(x, [4]), 'Cannot reshape [2, 3] (6 numbers) to [4].'],
    ['slice', () => ops.slice(x, 1, 2, 5), 'slice [2, 5) is not inside axis 1 of [2, 3].'],
    ['axis', () => ops.sum(x, [2]), 'sum: axis 2 does not exist in a tensor of 2 axes.'],
    ['gather', () => ops.gather(x, 0, [2]), 'gather index 2 is outside axis 0 of [2, 3].'],
    [
      'conv2d',
      () => conv2d(x, input('w', [2, 3, 3, 3]), { stride: 1, pad: 1 }),
      'conv2d needs x [M, I, H, W] and w [O, I, k, k]; got [2, 3] and [2, 3, 3, 3].',
    ],
    [
      'conv2d of channels that do not fit',
      () => conv2d(input('p', [1, 4, 5, 5]), input('w', [2, 3, 3, 3]), { stride: 1, pad: 1 }),
      'conv2d needs x [M, I, H, W] and w [O, I, k, k]; got [1, 4, 5, 5] and [2, 3, 3, 3].',
    ],
    [
      'conv2d with more zeros than the kernel is wide',
      () => conv2d(input('p', [1, 3, 5, 5]), input('w', [2, 3, 3, 3]), { stride: 1, pad: 3 }),
      'conv2d needs a whole stride of at least 1 and a pad from 0 to below k = 3; got stride 1 and pad 3.',
    ],
    [
      'conv2d of a small picture',
      () => conv2d(input('p', [1, 3, 1, 5]), input('w', [2, 3, 3, 3]), { stride: 1, pad: 0 }),
      'conv2d with a kernel of 3 x 3 needs pictures of at least 3 on each side; got [1, 3, 1, 5].',
    ],
    [
      'depthwise3x3',
      () => depthwise3x3(input('p', [2, 6, 4]), input('w', [4, 1, 3, 3]), [2, 2]),
      'depthwise3x3 of pictures of 2 x 2 needs x [M, 4, C] and w [C, 1, 3, 3]; got [2, 6, 4] and [4, 1, 3, 3].',
    ],
    ['grad', () => grad(x, [x]), 'grad needs a scalar loss; got shape [2, 3]. Take its sum or mean first.'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
