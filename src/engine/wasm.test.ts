/**
 * The WebAssembly engine: every operation, on operands of any shape and any strides, against the float64 interpreter and
 * ONNX Runtime.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.ts';
import { key, type Rng, rng } from '../random.ts';
import { input, type Shape, type Tensor, weight } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { constant, type OpName, size } from '../tensor/tensor.ts';
import { onnxruntime } from './onnxruntime-node.ts';
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
  // Alone, with a bias, with a residual, with one number.
  const addends: (() => Shape)[] = [() => [N], () => y.shape, () => y.shape.map((n) => (d.below(2) ? n : 1)), () => []];
  return d.below(3) ? ops.add(y, d.tensor(addends[d.below(4)]())) : y;
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
};

/** Roundings of single precision in sums of some dozens of numbers of order 1. */
const TOLERANCE = 4e-6;

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
