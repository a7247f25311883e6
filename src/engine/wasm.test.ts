/**
 * The WebAssembly engine: every operation, on operands of any shape and any strides, against the float64 interpreter and
 * ONNX Runtime.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.ts';
import { key, type Rng, rng } from '../random.ts';
import { conv2d, convInput, convWeight, depthwise, depthwise3x3, depthwiseWeight } from '../tensor/convolution.ts';
import { grad, input, type Shape, type Tensor, weight } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { constant, type OpName, size } from '../tensor/tensor.ts';
import { onnxruntime } from './onnxruntime-node.ts';
import { graphModule } from './wasm/program.ts';
import { wasm } from './wasm.ts';

/** Draws graphs: operands are inputs, weights or constants, seen through views. */
class Draw {
  readonly feeds: Record<string, Float32Array | BigInt64Array> = {};
  readonly #rng: Rng;

  constructor(seed: number) {
    this.#rng = rng(key(seed));
  }

  /** A whole number below n. */
  below(n: number): number {
    return Math.floor(this.#rng.uniform(0, n));
  }

  dim(): number {
    return [1, 1, 2, 3, 4, 5, 8, 13][this.below(8)];
  }

  shape(least = 0): Shape {
    return Array.from({ length: least + this.below(4 - Math.min(least, 3)) }, () => this.dim());
  }

  numbers(n: number, lo: number, hi: number): Float32Array {
    return Float32Array.from({ length: n }, () => this.#rng.uniform(lo, hi));
  }

  leaf(shape: Shape, lo: number, hi: number): Tensor {
    const data = this.numbers(size(shape), lo, hi);
    const kind = this.below(4);
    if (kind === 0) return weight(data, shape);
    if (kind === 1) return constant(data, shape);
    const name = `x${Object.keys(this.feeds).length}`;
    this.feeds[name] = data;
    return input(name, shape);
  }

  /** A tensor of a shape: a leaf, or a part, a reordering, a repetition of one. */
  tensor(shape: Shape, lo = -2, hi = 2): Tensor {
    const axis = this.below(shape.length);
    const with_ = (i: number, d: number) => shape.map((old, j) => (j === i ? d : old));
    switch (shape.length === 0 ? 0 : this.below(6)) {
      case 1: {
        const [before, after] = [this.below(3), this.below(3)];
        const wide = this.tensor(with_(axis, shape[axis] + before + after), lo, hi);
        return ops.slice(wide, axis, before, before + shape[axis]);
      }
      case 2: {
        const perm = [...shape.keys()].sort(() => this.#rng.uniform(-1, 1));
        const source: number[] = [];
        perm.forEach((from, to) => {
          source[from] = shape[to];
        });
        return ops.transpose(this.tensor(source, lo, hi), perm);
      }
      case 3:
        return ops.broadcastTo(this.tensor(this.below(2) ? with_(axis, 1) : shape.slice(1), lo, hi), shape);
      case 4:
        return ops.reshape(this.tensor([...shape].reverse(), lo, hi), shape);
      case 5:
        return ops.clamp(this.tensor(shape, lo, hi), lo, hi);
      default:
        return this.leaf(shape, lo, hi);
    }
  }

  /** int64 ids from 0 to below `rows`. */
  ids(shape: Shape, rows: number): Tensor {
    const name = `ids${Object.keys(this.feeds).length}`;
    this.feeds[name] = BigInt64Array.from({ length: size(shape) }, () => BigInt(this.below(rows)));
    return input(name, shape, 'int64');
  }
}

type Make = (d: Draw) => Tensor;

const unary =
  (f: (x: Tensor) => Tensor, lo = -4, hi = 4): Make =>
  (d) =>
    f(d.tensor(d.shape(), lo, hi));

/** Two operands that broadcast, one of them to the other or both ways. */
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor, lo = -2): Make =>
  (d) => {
    const shape = d.shape();
    const narrow = (): Shape => shape.slice(d.below(2) * d.below(shape.length + 1)).map((n) => (d.below(4) ? n : 1));
    return f(d.tensor(narrow(), lo), d.tensor(narrow(), lo));
  };

const reduction =
  (f: typeof ops.sum): Make =>
  (d) => {
    const x = d.tensor(d.shape(1));
    const axes = [...x.shape.keys()].filter(() => d.below(2));
    return f(x, axes.length > 0 ? axes : undefined, { keepDims: d.below(2) === 1 });
  };

/** An axis of a shape with at least one. */
const onAxis =
  (f: (d: Draw, x: Tensor, axis: number) => Tensor): Make =>
  (d) => {
    const x = d.tensor(d.shape(1));
    return f(d, x, d.below(x.shape.length));
  };

const product: Make = (d) => {
  const [M, K, N] = [d.dim(), d.dim(), d.dim()];
  const lead = d.shape().slice(0, 2);
  const narrow = () => lead.slice(d.below(lead.length + 1)).map((n) => (d.below(3) ? n : 1));
  const [transA, transB] = [d.below(2) === 1, d.below(2) === 1];
  const a = d.tensor([...narrow(), ...(transA ? [K, M] : [M, K])], -1, 1);
  const b = d.tensor([...narrow(), ...(transB ? [N, K] : [K, N])], -1, 1);
  const y = ops.matmul(a, b, { transA, transB });
  if (d.below(8) === 0) return ops.add(y, y);
  // Alone, with a bias, with a residual, with one number.
  const addends: (() => Shape)[] = [() => [N], () => y.shape, () => y.shape.map((n) => (d.below(2) ? n : 1)), () => []];
  return d.below(3) ? ops.add(y, d.tensor(addends[d.below(4)]())) : y;
};

interface Convolution {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly dy: Tensor;
  readonly options: { stride: number; pad: number };
}

const convolution =
  (f: (given: Convolution) => Tensor): Make =>
  (d) => {
    const [M, I, O] = [1 + d.below(3), 1 + d.below(3), 1 + d.below(9)];
    const k = 1 + d.below(3);
    const options = { stride: 1 + d.below(3), pad: d.below(k) };
    const sides = () => k + d.below(5);
    const x = d.tensor([M, I, sides(), sides()], -1, 1);
    const w = d.tensor([O, I, k, k], -1, 1);
    return f({ x, w, dy: d.tensor(conv2d(x, w, options).shape, -1, 1), options });
  };

/** Batches that ONNX Runtime convolves by products, of rows and of whole pictures, and single pictures that it does not. */
const depthwiseCase =
  (f: (d: Draw, x: Tensor, w: Tensor, sides: readonly [number, number]) => Tensor): Make =>
  (d) => {
    const [M, C] = [1 + 16 * d.below(2), 1 + d.below(6)];
    const sides = d.below(2) ? ([9, 8] as const) : ([1 + d.below(3), 1 + d.below(4)] as const);
    return f(d, d.tensor([M, sides[0] * sides[1], C], -0.5, 0.5), d.tensor([C, 1, 3, 3], -1, 1), sides);
  };

const CASES: Record<Exclude<OpName, 'input' | 'pick' | 'weight'>, Make> = {
  constant: (d) => constant(d.numbers(6, -1, 1), [2, 3]),
  neg: unary(ops.neg),
  exp: unary(ops.exp),
  log: unary(ops.log, 0.1),
  sqrt: unary(ops.sqrt, 0.1),
  abs: unary(ops.abs),
  sign: unary(ops.sign),
  tanh: unary(ops.tanh),
  sin: unary(ops.sin, -20, 20),
  cos: unary(ops.cos, -20, 20),
  sigmoid: unary(ops.sigmoid),
  erf: unary(ops.erf),
  reciprocal: unary(ops.reciprocal, 0.5),
  gelu: unary(ops.gelu),
  clamp: unary((x) => ops.clamp(x, -1, 0.5)),
  equal: binary((a, b) => ops.equal(ops.sign(a), ops.sign(b))),
  add: binary(ops.add),
  sub: binary(ops.sub),
  mul: binary(ops.mul),
  div: binary(ops.div, 0.5),
  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  matmul: product,
  softmax: (d) => ops.softmax(d.tensor(d.shape(1))),
  layerNorm: (d) => {
    // A slope beside the numbers: those of a row that are nearly equal would have a norm of roundings alone.
    const width = 1 + d.dim();
    const slope = constant(
      Array.from({ length: width }, (_, i) => 5 * i),
      [width],
    );
    const x = ops.add(d.tensor([...d.shape(), width].slice(-3)), slope);
    return ops.layerNorm(x, d.tensor([width]), d.tensor([width]));
  },
  split: onAxis((d, x, axis) => {
    const first = 1 + d.below(x.shape[axis]);
    const parts = ops.split(
      x,
      axis,
      [first, x.shape[axis] - first].filter((n) => n > 0),
    );
    return ops.exp(parts[d.below(parts.length)]);
  }),
  reshape: (d) => ops.reshape(d.tensor(d.shape()), [-1]),
  transpose: (d) => ops.transpose(d.tensor(d.shape())),
  concat: onAxis((d, x, axis) => {
    const other = x.shape.map((n, i) => (i === axis ? d.dim() : n));
    return ops.concat([x, d.tensor(other), x], axis);
  }),
  slice: onAxis((d, x, axis) => {
    const start = d.below(x.shape[axis]);
    return ops.slice(x, axis, start, start + 1 + d.below(x.shape[axis] - start));
  }),
  pad: onAxis((d, x, axis) => ops.pad(x, axis, d.below(3), d.below(3))),
  broadcast: (d) => {
    const shape = d.shape(1);
    return ops.broadcastTo(d.tensor(shape.slice(1).map((n) => (d.below(2) ? n : 1))), shape);
  },
  gather: onAxis((d, x, axis) =>
    ops.gather(
      x,
      axis,
      Array.from({ length: d.dim() }, () => d.below(x.shape[axis])),
    ),
  ),
  embed: (d) => {
    const rows = d.dim();
    return ops.embed(d.tensor([rows, d.dim()]), d.ids(d.shape(), rows));
  },
  scatterAdd: (d) => {
    const shape = d.shape(1);
    return ops.scatterAdd(d.tensor([...shape, d.dim()]), d.ids(shape, 4), 4);
  },
  conv: convolution(({ x, w, options }) => conv2d(x, w, options)),
  convInput: convolution(({ w, dy, options, x }) => convInput(dy, w, options, x.shape)),
  convWeight: convolution(({ x, dy, options, w }) => convWeight(x, dy, options, w.shape)),
  depthwise: depthwiseCase((d, x, w, sides) =>
    d.below(2) ? depthwise3x3(x, w, sides, { residual: d.below(2) === 1 }) : depthwise(x, w, sides, true),
  ),
  // Thousands of products: as much as some dozens of order 1.
  depthwiseWeight: depthwiseCase((d, x, _, sides) => depthwiseWeight(x, d.tensor(x.shape, -0.02, 0.02), sides)),
};

/** Roundings of single precision in sums of some dozens of numbers of order 1. */
const TOLERANCE = 4e-6;
/** Of some dozens of operations in a row. */
const GRAPH_TOLERANCE = 2e-5;

describe.each(Object.entries(CASES))('%s', (_, make) => {
  test('is what the interpreter and ONNX Runtime say, for any shapes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (seed) => {
        const d = new Draw(seed);
        // Several in one program, where they also share memory.
        const outputs = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`y${i}`, make(d)]));
        using program = await wasm.compile(outputs);
        using reference = await onnxruntime().compile(outputs);
        const numbers = Object.fromEntries(
          Object.entries(d.feeds).map(([name, data]) => [name, Float64Array.from(data as Float32Array, Number)]),
        );
        const used = Object.fromEntries(Object.keys(program.signature.inputs).map((name) => [name, d.feeds[name]]));
        const wanted = interpret(Object.values(outputs), numbers);
        const first = await program.run(used);
        const again = await program.run(used);
        const other = await reference.run(used);
        expect(program.signature).toEqual(reference.signature);
        Object.keys(outputs).forEach((name, i) => {
          expect(again[name]).toEqual(first[name]);
          wanted[i].forEach((e, j) => {
            const bound = TOLERANCE * (1 + Math.abs(e));
            expect(Math.abs(first[name][j] - e), `${name}[${j}]`).toBeLessThan(bound);
            expect(Math.abs(first[name][j] - other[name][j]), `${name}[${j}]`).toBeLessThan(2 * bound);
          });
        });
      }),
      { numRuns: 6 },
    );
  });
});

/** The next node of a graph of square matrices [S, S], of numbers of order 1. */
function grow(d: Draw, known: readonly Tensor[], S: number): Tensor {
  const [a, b, c] = [0, 0, 0].map(() => known[d.below(known.length)]);
  const cut = 1 + d.below(S - 1);
  const makes: (() => Tensor)[] = [
    () => ops.tanh(ops.add(ops.mul(a, b), c)),
    () => ops.sub(ops.sigmoid(a), ops.mul(b, 0.5)),
    () => ops.add(ops.mul(ops.matmul(a, b, { transA: d.below(2) === 1, transB: d.below(2) === 1 }), 1 / S), c),
    () => ops.mul(ops.add(ops.matmul(a, ops.softmax(b)), c), 0.5),
    () => ops.matmul(ops.mul(a, 1 / S), b),
    () => ops.add(a, b),
    () => ops.transpose(a),
    () => ops.softmax(a),
    () => ops.concat([ops.slice(a, 0, 0, cut), ops.slice(b, 0, cut, S)], 0),
    () => ops.concat([ops.slice(a, 1, cut, S), ops.slice(b, 1, 0, cut)], 1),
    () =>
      ops.gather(
        a,
        d.below(2),
        Array.from({ length: S }, (_, i) => (i * cut) % S),
      ),
    () => ops.sub(a, ops.mean(a, [d.below(2)], { keepDims: true })),
    () => ops.linear(ops.linear(a, d.leaf([40, S], -0.3, 0.3)), d.leaf([S, 40], -0.1, 0.1), d.leaf([S], -1, 1)),
  ];
  return makes[d.below(makes.length)]();
}

test('graphs of many operations, whose values several others use', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1e6), fc.constantFrom(4, 5, 9), async (seed, S) => {
      const d = new Draw(seed);
      const known = [0, 0, 0].map(() => d.leaf([S, S], -1, 1));
      for (let i = 0; i < 25; i++) known.push(grow(d, known, S));
      const outputs = Object.fromEntries(known.slice(-6).map((t, i) => [`y${i}`, t]));
      using program = await wasm.compile(outputs);
      const used = Object.fromEntries(
        Object.keys(program.signature.inputs).map((name) => [name, d.feeds[name] as Float32Array]),
      );
      const wanted = interpret(Object.values(outputs), used);
      const [answer, again] = [await program.run(used), await program.run(used)];
      expect(again).toEqual(answer);
      Object.keys(outputs).forEach((name, i) => {
        wanted[i].forEach((e, j) => {
          expect(Math.abs(answer[name][j] - e), `${name}[${j}]`).toBeLessThan(GRAPH_TOLERANCE * (1 + Math.abs(e)));
        });
      });
    }),
    { numRuns: 40 },
  );
});

describe('a program', () => {
  const x = input('x', [2, 3]);
  const three = Float32Array.of(1, 2, 3);
  const [y, z] = [ops.mul(x, 2), ops.sum(x)];
  const feed = { x: Float32Array.of(1, 2, 3, 4, 5, 6) };

  test('fills the arrays it is given, for one call after another', async () => {
    using program = await wasm.compile({ y, z });
    const into = { y: new Float32Array(6) };
    const [first, second] = await Promise.all([
      program.run(feed, into),
      program.run({ x: new Float32Array(6).fill(1) }),
    ]);
    expect(first.y).toBe(into.y);
    expect([...first.y, ...first.z]).toEqual([2, 4, 6, 8, 10, 12, 21]);
    expect([...second.y, ...second.z]).toEqual([2, 2, 2, 2, 2, 2, 6]);
  });

  test('keeps the weights it was compiled with', async () => {
    const data = Float32Array.from(three);
    using program = await wasm.compile({ y: ops.mul(x, weight(data, [3])), z: ops.matmul(x, weight(data, [3, 1])) });
    data.fill(9);
    const answer = await program.run(feed);
    expect([...answer.y, ...answer.z]).toEqual([1, 4, 9, 4, 10, 18, 14, 32]);
  });

  test('computes once what follows from weights alone', () => {
    const w = weight(feed.x, [2, 3]);
    const alone = graphModule({ y: ops.add(x, w) });
    const folded = graphModule({ y: ops.add(x, ops.exp(ops.softmax(w))) });
    expect([alone.prepared, alone.steps, folded.prepared, folded.steps]).toEqual([0, 2, 2, 2]);
  });

  test('keeps a row that is not a number to itself', async () => {
    const products = { y: ops.linear(x, weight(new Float32Array(6).fill(1), [2, 3])), z: ops.softmax(x) };
    using program = await wasm.compile(products);
    const answer = await program.run({ x: Float32Array.of(1, 1, 1, Number.NaN, Number.POSITIVE_INFINITY, 1) });
    expect([...answer.y.subarray(0, 2)]).toEqual([3, 3]);
    expect([...answer.z.subarray(0, 3)]).toEqual([1 / 3, 1 / 3, 1 / 3].map(Math.fround));
    expect([...answer.y.subarray(2), ...answer.z.subarray(3)].every(Number.isNaN)).toBe(true);
  });

  test('is small, whatever its weights', async () => {
    const small = graphModule({ y: ops.linear(x, weight(new Float32Array(12), [4, 3])) });
    const large = graphModule({ y: ops.linear(x, weight(new Float32Array(30000), [10000, 3])) });
    expect(large.bytes.length - small.bytes.length).toBeLessThan(30);
    // A second node of the same form is one more call.
    const twice = graphModule({
      y: ops.linear(ops.linear(x, weight(new Float32Array(9), [3, 3])), weight(three, [1, 3])),
    });
    expect(twice.bytes.length - small.bytes.length).toBeLessThan(150);
  });

  test('may be long', async () => {
    const around = constant([0, 1, 0, 0, 0, 1, 1, 0, 0], [3, 3]);
    let y: Tensor = x;
    for (let i = 0; i < 2500; i++) y = ops.matmul(y, around);
    using program = await wasm.compile({ y });
    // Every product moves each row by one place, and 2500 = 3 x 833 + 1.
    expect([...(await program.run(feed)).y]).toEqual([3, 1, 2, 6, 4, 5]);
  });

  test('memory is used again: a deep graph takes no more than a shallow one', () => {
    const deep = (depth: number) => {
      const wide = input('x', [100, 100]);
      let t: Tensor = wide;
      for (let i = 0; i < depth; i++) t = ops.softmax(ops.matmul(t, wide));
      return graphModule({ t }).pages;
    };
    expect(deep(40)).toBe(deep(4));
  });
});

describe('errors say what to do', () => {
  const x = input('x', [2, 3]);
  const ids = input('ids', [2], 'int64');
  const found = ops.embed(weight(new Float32Array(8), [4, 2]), ids);
  const run = async (feeds: Record<string, Float32Array | BigInt64Array>, into?: Record<string, Float32Array>) => {
    using program = await wasm.compile({ y: ops.exp(x), found });
    return await program.run(feeds, into);
  };
  const numbers = new Float32Array(6);
  const known = BigInt64Array.of(0n, 3n);

  test.each<[string, () => Promise<unknown>, string]>([
    ['a feed that is missing', () => run({ x: numbers }), 'Input ids [2] was not fed.'],
    ['one too many', () => run({ x: numbers, ids: known, z: numbers }), 'The program has no input z; it has x, ids.'],
    [
      'one of another size',
      () => run({ x: new Float32Array(5), ids: known }),
      'Input x needs 6 float32 numbers for shape [2, 3]; got 5 in a Float32Array.',
    ],
    [
      'one of another type',
      () => run({ x: numbers, ids: new Float32Array(2) }),
      'Input ids needs 2 int64 numbers for shape [2]; got 2 in a Float32Array.',
    ],
    [
      'an id beyond its table',
      () => run({ x: numbers, ids: BigInt64Array.of(1n, 4n) }),
      'Input ids holds the id 4; what it is looked up in has ids 0 to 3.',
    ],
    [
      'a negative id',
      () => run({ x: numbers, ids: BigInt64Array.of(-1n, 1n) }),
      'Input ids holds the id -1; what it is looked up in has ids 0 to 3.',
    ],
    [
      'a result of another size',
      () => run({ x: numbers, ids: known }, { y: new Float32Array(2) }),
      'Output y [2, 3] needs an array of 6; got 2.',
    ],
    [
      'two inputs of one name',
      () => wasm.compile({ y: ops.add(input('x', [1]), input('x', [2])) }),
      'Two different inputs are named x. Give each its own name.',
    ],
    [
      'weights that may change',
      () => wasm.compile({ y: x }, { weights: 'shared' }),
      "WebAssembly has its own memory: weights are copied when a graph is compiled. Ask for weights 'packed', or run it on ONNX Runtime.",
    ],
    [
      'the derivative of a norm',
      () => wasm.compile({ g: grad(ops.sum(ops.mul(ops.layerNorm(x), x)), [x])[0] }),
      'as derivatives do; WebAssembly runs forward graphs alone. Run it on ONNX Runtime.',
    ],
    [
      'more memory than there can be',
      () => wasm.compile({ y: ops.exp(ops.broadcastTo(x, [400_000_000, 2, 3])) }),
      'MB of memory; a WebAssembly module has at most 4294 MB. Run it on ONNX Runtime.',
    ],
  ])('%s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
  });

  test('a program that was disposed of', async () => {
    const program = await wasm.compile({ y: ops.exp(x) });
    program[Symbol.dispose]();
    await expect(program.run({ x: numbers })).rejects.toThrow('The program was disposed of; compile it again.');
  });
});
