/**
 * A float64 interpreter of the graph, for tests: slow, obvious, and independent of ONNX Runtime. Finite differences
 * need more digits than float32 has, and the runtime lacks float64 kernels for several operations; the interpreter
 * itself is checked against the runtime.
 */
import { type Attributes, type OpName, type Shape, size, type Tensor, topological } from '../../src/tensor/tensor.ts';

type Values = Float64Array;

interface Operand {
  readonly shape: Shape;
  readonly data: Values;
}

type Rule<K extends OpName> = (args: Operand[], attrs: Attributes[K], shape: Shape) => Values | Values[];

/** Evaluates the outputs; every input of the graph must be in `feeds`. */
export function interpret(outputs: readonly Tensor[], feeds: Record<string, ArrayLike<number>>): Values[] {
  const values = new Map<Tensor, Values | Values[]>();
  for (const t of topological(outputs)) {
    const args = t.args.map((a) => ({ shape: a.shape, data: values.get(a) as Values }));
    if (t.op === 'input') {
      const fed = feeds[(t as Tensor<'input'>).attrs.name];
      if (!fed) throw new Error(`No feed for ${(t as Tensor<'input'>).attrs.name}`);
      values.set(t, Float64Array.from(fed));
    } else if (t.op === 'pick') {
      values.set(t, (values.get(t.args[0]) as Values[])[(t as Tensor<'pick'>).attrs.index]);
    } else {
      values.set(t, (RULES[t.op] as Rule<OpName>)(args, t.attrs, t.shape));
    }
  }
  return outputs.map((t) => values.get(t) as Values);
}

const strides = (shape: Shape): number[] => {
  const out = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) out[i] = out[i + 1] * shape[i + 1];
  return out;
};

/** For each index of `shape` in row-major order, the coordinates. */
function* coordinates(shape: Shape): Generator<number[]> {
  const at = shape.map(() => 0);
  for (let n = size(shape); n > 0; n--) {
    yield at;
    for (let i = shape.length - 1; i >= 0; i--) {
      at[i]++;
      if (at[i] < shape[i]) break;
      at[i] = 0;
    }
  }
}

/** Builds an array by computing, for each output coordinate, a number. */
const build = (shape: Shape, f: (at: number[]) => number): Values => {
  const out = new Float64Array(size(shape));
  let i = 0;
  for (const at of coordinates(shape)) out[i++] = f(at);
  return out;
};

/** Reads an operand at the coordinates of a shape it broadcasts to. */
const read = ({ shape, data }: Operand, at: readonly number[]): number => {
  const step = strides(shape);
  let offset = 0;
  shape.forEach((d, i) => {
    offset += d === 1 ? 0 : at[at.length - shape.length + i] * step[i];
  });
  return data[offset];
};

const unary =
  (f: (x: number) => number): Rule<OpName> =>
  ([x]) =>
    x.data.map(f);

const binary =
  (f: (a: number, b: number) => number): Rule<OpName> =>
  ([a, b], _, shape) =>
    build(shape, (at) => f(read(a, at), read(b, at)));

/** The error function by its Maclaurin series, or 1 - erfc by a continued fraction where the series would cancel. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let total = a;
    for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(total); n++) {
      term *= (-a * a) / n;
      total += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI);
  }
  let fraction = a;
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (fraction * Math.sqrt(Math.PI)));
}

/** Rows along the last axis, each mapped to a row. */
const rows = ({ shape, data }: Operand, f: (row: Values) => Values): Values => {
  const width = shape.at(-1)!;
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i += width) out.set(f(data.subarray(i, i + width)), i);
  return out;
};

const total = (row: Values) => row.reduce((a, b) => a + b, 0);

const along = (x: Operand, axis: number, shape: Shape, from: number) =>
  build(shape, (at) =>
    read(
      x,
      at.map((c, i) => (i === axis ? c + from : c)),
    ),
  );

const reduce =
  (scale: (n: number) => number): Rule<'sum' | 'mean'> =>
  ([x], _, shape) => {
    const out = new Float64Array(size(shape));
    const step = strides(shape);
    let i = 0;
    for (const at of coordinates(x.shape)) {
      const to = at.reduce((o, c, axis) => o + (shape[axis] === 1 ? 0 : c * step[axis]), 0);
      out[to] += x.data[i++] * scale(x.data.length / out.length);
    }
    return out;
  };

/** Every product of a convolution of x by w to y: where its three numbers are. */
function eachTap(
  [M, I, H, W]: Shape,
  [O, , k]: Shape,
  [, , h, v]: Shape,
  { stride, pad }: Attributes['conv'],
  f: (x: number, w: number, y: number) => void,
): void {
  for (const [m, o, r, c, i, a, b] of coordinates([M, O, h, v, I, k, k])) {
    const [row, column] = [r * stride + a - pad, c * stride + b - pad];
    if (row < 0 || row >= H || column < 0 || column >= W) continue;
    f(((m * I + i) * H + row) * W + column, ((o * I + i) * k + a) * k + b, ((m * O + o) * h + r) * v + c);
  }
}

/** The same of a depthwise convolution of tokens [M, H W, C] by [C, 1, 3, 3]. */
function eachChannelTap(
  [M, , C]: Shape,
  [H, W]: readonly [number, number],
  f: (x: number, w: number, y: number) => void,
): void {
  for (const [m, r, c, i, a, b] of coordinates([M, H, W, C, 3, 3])) {
    const [row, column] = [r + a - 1, c + b - 1];
    if (row < 0 || row >= H || column < 0 || column >= W) continue;
    f(((m * H + row) * W + column) * C + i, i * 9 + a * 3 + b, ((m * H + r) * W + c) * C + i);
  }
}

const RULES: { [K in OpName]: Rule<K> } = {
  input: () => [],
  pick: () => [],
  constant: (_, { data }) => Float64Array.from(data),
  weight: (_, { data }) => Float64Array.from(data),
  neg: unary((x) => -x),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  erf: unary(erf),
  reciprocal: unary((x) => 1 / x),
  clamp: ([x], { lo, hi }) => x.data.map((v) => Math.min(Math.max(v, lo), hi)),
  equal: binary((a, b) => +(a === b)),
  gelu: binary((x, phi) => x * phi),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  sum: reduce(() => 1),
  mean: reduce((n) => 1 / n),
  matmul: ([a, b], { transA, transB }, shape) => {
    const inner = a.shape.at(transA ? -2 : -1)!;
    return build(shape, (at) => {
      const lead = at.slice(0, -2);
      const [i, j] = at.slice(-2) as [number, number];
      let dot = 0;
      for (let k = 0; k < inner; k++)
        dot += read(a, [...lead, ...(transA ? [k, i] : [i, k])]) * read(b, [...lead, ...(transB ? [j, k] : [k, j])]);
      return dot;
    });
  },
  softmax: ([x]) =>
    rows(x, (row) => {
      const top = Math.max(...row);
      const e = row.map((v) => Math.exp(v - top));
      const norm = total(e);
      return e.map((v) => v / norm);
    }),
  layerNorm: ([x], { eps }) => {
    const width = x.shape.at(-1)!;
    const moments = (row: Values) => {
      const mu = total(row) / width;
      return [mu, 1 / Math.sqrt(total(row.map((v) => (v - mu) ** 2)) / width + eps)] as const;
    };
    const normalised = rows(x, (row) => {
      const [mu, r] = moments(row);
      return row.map((v) => (v - mu) * r);
    });
    const each = Array.from({ length: x.data.length / width }, (_, i) =>
      moments(x.data.subarray(i * width, (i + 1) * width)),
    );
    return [normalised, Float64Array.from(each, (m) => m[0]), Float64Array.from(each, (m) => m[1])];
  },
  split: ([x], { axis, sizes }) => {
    let from = 0;
    return sizes.map((s) => {
      const part = along(
        x,
        axis,
        x.shape.map((d, i) => (i === axis ? s : d)),
        from,
      );
      from += s;
      return part;
    });
  },
  reshape: ([x]) => x.data,
  transpose: ([x], { perm }, shape) =>
    build(shape, (at) => {
      const from = x.shape.map(() => 0);
      perm.forEach((axis, i) => {
        from[axis] = at[i];
      });
      return read(x, from);
    }),
  concat: (parts, { axis }, shape) =>
    build(shape, (at) => {
      let rest = at[axis];
      for (const part of parts) {
        if (rest < part.shape[axis])
          return read(
            part,
            at.map((c, i) => (i === axis ? rest : c)),
          );
        rest -= part.shape[axis];
      }
      throw new Error('concat: coordinate outside');
    }),
  slice: ([x], { axis, start }, shape) => along(x, axis, shape, start),
  pad: ([x], { axis, before }, shape) =>
    build(shape, (at) => {
      const c = at[axis] - before;
      return c < 0 || c >= x.shape[axis]
        ? 0
        : read(
            x,
            at.map((v, i) => (i === axis ? c : v)),
          );
    }),
  broadcast: ([x], _, shape) => build(shape, (at) => read(x, at)),
  gather: ([x], { axis, indices }, shape) =>
    build(shape, (at) =>
      read(
        x,
        at.map((c, i) => (i === axis ? indices[c] : c)),
      ),
    ),
  embed: ([table, ids], _, shape) => build(shape, (at) => read(table, [read(ids, at.slice(0, -1)), at.at(-1)!])),
  scatterAdd: ([rows, ids], _, shape) => {
    const out = new Float64Array(size(shape));
    const width = shape[1];
    ids.data.forEach((id, i) => {
      for (let e = 0; e < width; e++) out[id * width + e] += rows.data[i * width + e];
    });
    return out;
  },
  conv: ([x, w], attrs, shape) => {
    const out = new Float64Array(size(shape));
    eachTap(x.shape, w.shape, shape, attrs, (i, j, k) => {
      out[k] += x.data[i] * w.data[j];
    });
    return out;
  },
  convInput: ([dy, w], attrs, shape) => {
    const out = new Float64Array(size(shape));
    eachTap(shape, w.shape, dy.shape, attrs, (i, j, k) => {
      out[i] += dy.data[k] * w.data[j];
    });
    return out;
  },
  convWeight: ([x, dy], attrs, shape) => {
    const out = new Float64Array(size(shape));
    eachTap(x.shape, shape, dy.shape, attrs, (i, j, k) => {
      out[j] += x.data[i] * dy.data[k];
    });
    return out;
  },
  depthwise: ([x, w], { sides, residual, reversed }, shape) => {
    const out = residual ? x.data.slice() : new Float64Array(size(shape));
    eachChannelTap(shape, sides, (i, j, k) => {
      out[k] += x.data[i] * w.data[reversed ? j + 8 - 2 * (j % 9) : j];
    });
    return out;
  },
  depthwiseWeight: ([x, dy], { sides }, shape) => {
    const out = new Float64Array(size(shape));
    eachChannelTap(x.shape, sides, (i, j, k) => {
      out[j] += x.data[i] * dy.data[k];
    });
    return out;
  },
};
