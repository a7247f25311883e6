import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { key, normals, rng } from '../random.ts';
import { constant, input, materialise, type NDArray, symbols } from '../tensor/index.ts';
import { factorise, invertTriangles, randomOrthogonal } from './lu.ts';
import { initPlu, type PluParams, pluInverses, pluStack } from './plu.ts';

/** float64 products of a few dozen numbers of order one. */
const FLOAT64 = 1e-10;
/** float32 products of the same. */
const FLOAT32 = 2e-5;

const multiply = (a: ArrayLike<number>, b: ArrayLike<number>, n: number) =>
  Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return Array.from({ length: n }, (_, k) => a[i * n + k] * b[k * n + j]).reduce((x, y) => x + y, 0);
  });

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (v, i) => Math.abs(v - b[i])).reduce((x, y) => Math.max(x, y), 0);

const identity = (n: number) => Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));

const problems = fc.record({ n: fc.integer({ min: 1, max: 24 }), seed: fc.nat() });

describe('linear algebra', () => {
  test('a random orthogonal matrix is orthogonal', () => {
    fc.assert(
      fc.property(problems, ({ n, seed }) => {
        const q = randomOrthogonal(key(seed), n);
        const transposed = q.map((_, at) => q[(at % n) * n + Math.floor(at / n)]);
        expect(worst(multiply(q, transposed, n), identity(n))).toBeLessThan(FLOAT64);
      }),
      { numRuns: 30 },
    );
  });

  test('P L U is the matrix that was factorised', () => {
    fc.assert(
      fc.property(problems, ({ n, seed }) => {
        const matrix = Float64Array.from(normals(key(seed), n * n));
        const { lu, rows } = factorise(matrix, n);
        const L = lu.map((v, at) => (at % n < Math.floor(at / n) ? v : at % (n + 1) === 0 ? 1 : 0));
        const U = lu.map((v, at) => (at % n >= Math.floor(at / n) ? v : 0));
        const product = multiply(L, U, n);
        const permuted = matrix.map((_, at) => product[rows[Math.floor(at / n)] * n + (at % n)]);
        expect(worst(permuted, matrix)).toBeLessThan(FLOAT64);
      }),
      { numRuns: 30 },
    );
  });

  test('what cannot be inverted is refused', () => {
    expect(() => factorise(new Float64Array(4), 2)).toThrow('Cannot factorise a singular 2 x 2 matrix (column 0).');
    expect(() => invertTriangles([0, 0, 0, 0], [0, 0, 0, 0], [1, 0], 2)).toThrow(
      'The PLU layer is singular: entry 1 of its diagonal s is 0.',
    );
  });
});

describe('a stack of PLU layers', () => {
  const [n, D, B] = [3, 6, 4];
  const blueprint = initPlu(key(5), n, D);
  const params = materialise(blueprint.params);
  const rows = [0, 1, 2].map(blueprint.rows);
  const columns = [0, 1, 2].map((i) => [...Array(D).keys()].map((j) => (j + i) % D));
  // Only strict triangles count: fill the rest with what must not matter.
  const r = rng(key(6));
  for (const { data } of [params.L, params.U]) for (let i = 0; i < data.length; i++) data[i] ||= r.normal();
  const x = normals(key(7), B * D);
  const feeds = { s: params.s.data, L: params.L.data, U: params.U.data };

  test('starts as the orthogonal matrix that it factorises: log det = 0', async () => {
    const s = { data: initPlu(key(8), 1, 12).params.s.draw() };
    expect(Math.abs(s.data.reduce((sum, v) => sum + Math.log(Math.abs(v)), 0))).toBeLessThan(FLOAT32);
  });

  test('agrees with each of its layers alone, and with the order of columns applied afterwards', async () => {
    const point = constant(x, [B, D]);
    const stack = pluStack(symbols(params), { rows, columns });
    using program = await cpu.compile(
      Object.fromEntries(stack.flatMap((f, i) => f.forward(point).map((t, k) => [`${i}.${k}`, t]))),
    );
    const together = await program.run(feeds);
    for (let i = 0; i < n; i++) {
      const part = ({ data }: NDArray, size: number, shape: number[]) => ({
        shape,
        data: data.subarray(i * size, (i + 1) * size),
      });
      const alone: PluParams<NDArray> = {
        s: part(params.s, D, [1, D]),
        L: part(params.L, D * D, [1, D, D]),
        U: part(params.U, D * D, [1, D, D]),
      };
      const [y, logDet] = pluStack(symbols(alone), { rows: [rows[i]] })[0].forward(point);
      using single = await cpu.compile({ y, logDet });
      const result = await single.run({ s: alone.s.data, L: alone.L.data, U: alone.U.data });
      const ordered = result.y.map((_, at) => result.y[Math.floor(at / D) * D + columns[i][at % D]]);
      expect(worst(together[`${i}.0`], ordered)).toBeLessThan(FLOAT32);
      expect(together[`${i}.1`][0]).toBeCloseTo(result.logDet[0], 5);
    }
  });

  test('is undone by its inverse matrices, computed in float64', async () => {
    const inverses = pluInverses(params, { rows, columns });
    const stack = pluStack(symbols(params), { rows, columns }, input('inverses', inverses.shape));
    const point = constant(x, [B, D]);
    using program = await cpu.compile(
      Object.fromEntries(stack.map((f, i) => [`${i}`, f.inverse(f.forward(point)[0])[0]])),
    );
    const back = await program.run({ ...feeds, inverses: inverses.data });
    for (let i = 0; i < n; i++) expect(worst(back[i], x)).toBeLessThan(FLOAT32);
  });

  test('cannot be inverted without them', () => {
    const [layer] = pluStack(symbols(params), { rows });
    expect(() => layer.inverse(constant(x, [B, D]))).toThrow(
      'Inverting a PLU layer needs its inverse matrices; compute them with pluInverses and pass them.',
    );
  });
});
