/**
 * What every bijection must satisfy, on float32 and ONNX Runtime, the engine that users run.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decode, encode, logProb, sample, sampleAndLogProb } from '../../src/flows/index.ts';
import { key, normals } from '../../src/random.ts';
import { readSafetensors, writeSafetensors } from '../../src/safetensors.ts';
import { byPath, exp, grad, gradOf, mean, type NDArray, neg, slice, sum } from '../../src/tensor/index.ts';
import { logAbsDeterminant } from './determinant.ts';
import { evaluate } from './evaluate.ts';
import { C, type Leaves, REGISTRY, type Specimen } from './registry.ts';
import { bananaEntropy, trainOnBanana } from './training.ts';
import { energyDistanceTest } from './two-sample.ts';

const D = 8;
const B = 5;
/** Float32 has 1.2e-7; a few dozen operations on numbers up to ten accumulate some hundred times that. */
const ROUND_TRIP = 5e-5;
const LOG_DET = 5e-5;

const data = { x: normals(key(1), B * D), cond: normals(key(2), B * C) };

function close(actual: Float32Array, expected: ArrayLike<number>, tolerance: number): void {
  const worst = actual.reduce((w, v, i) => Math.max(w, Math.abs(v - expected[i]) / (1 + Math.abs(expected[i]))), 0);
  expect(worst).toBeLessThan(tolerance);
}

/** log |det| of the Jacobian of y [rows, n] in x, per row, by differentiating each output. */
async function jacobianLogDet(
  specimen: Specimen,
  feeds: typeof data,
  direction: 'forward' | 'inverse',
): Promise<Float64Array> {
  const n = specimen.D;
  const rows = feeds.cond.length / C;
  const columns = await evaluate(specimen, feeds, (flow, { x }) => {
    const [y] = flow[direction](x);
    // Rows of a batch do not mix, so the gradient of a column's sum holds that output's derivatives for every row.
    const derivatives = Array.from({ length: n }, (_, j) => grad(sum(slice(y, 1, j, j + 1)), [x])[0]);
    return Object.fromEntries(derivatives.map((d, j) => [`${j}`, d]));
  });
  return Float64Array.from({ length: rows }, (_, b) =>
    logAbsDeterminant(Array.from({ length: n }, (_, j) => Array.from(columns[j].subarray(b * n, (b + 1) * n)))),
  );
}

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'flows-'));
afterAll(() => fs.rmSync(temporary, { recursive: true }));

describe.each(REGISTRY)('$name', ({ name, make, volumePreserving }) => {
  const specimen = make(D);

  test('inverse(forward(x)) = x and forward(inverse(z)) = z, with opposite log-determinants', async () => {
    const r = await evaluate(specimen, data, (flow, { x }) => {
      const [z, there] = encode(flow, x);
      const [back, thereBack] = decode(flow, z);
      const [y, here] = decode(flow, x);
      const [forth, hereForth] = encode(flow, y);
      return { back, forth, there, thereBack, here, hereForth };
    });
    close(r.back, data.x, ROUND_TRIP);
    close(r.forth, data.x, ROUND_TRIP);
    close(
      r.thereBack,
      r.there.map((v) => -v),
      LOG_DET,
    );
    close(
      r.hereForth,
      r.here.map((v) => -v),
      LOG_DET,
    );
    // On a volume-preserving map a wrong sign would pass unseen.
    const scales = Math.min(...r.there.map(Math.abs));
    if (volumePreserving) expect(scales).toBe(0);
    else expect(scales).toBeGreaterThan(0.01);
  });

  test.each(['forward', 'inverse'] as const)('the %s log-determinant is that of the Jacobian', async (direction) => {
    const { logDet } = await evaluate(specimen, data, (flow, { x }) => ({
      logDet: (direction === 'forward' ? encode : decode)(flow, x)[1],
    }));
    close(logDet, await jacobianLogDet(specimen, data, direction), LOG_DET);
  });

  test('every parameter receives a gradient', async () => {
    const names = Object.keys(specimen.params);
    const gradients = await evaluate(specimen, data, (flow, { x }, p) => ({
      ...byPath(gradOf(neg(mean(logProb(flow, x))), p)),
      keep: logProb(flow, x),
    }));
    for (const path of names) {
      const largest = gradients[path].reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      expect(largest, path).toBeGreaterThan(1e-6);
      expect(largest, path).toBeLessThan(1e6);
    }
  });

  test('weights written and read again give identical log-probabilities', async () => {
    const file = path.join(temporary, `${name}.safetensors`);
    writeSafetensors(file, specimen.params);
    const { tensors } = readSafetensors(file);
    const params = tensors as Leaves<NDArray>;
    const density = (s: Specimen) => evaluate(s, data, (flow, { x }) => ({ logProb: logProb(flow, x) }));
    expect(await density({ ...specimen, params })).toEqual(await density(specimen));
  });

  test('sampleAndLogProb is sample, then logProb', async () => {
    const r = await evaluate(specimen, { ...data, t: new Float32Array(B).fill(0.7) }, (flow, { x, t }) => {
      const [both, logProbability] = sampleAndLogProb(flow, x, t);
      const alone = sample(flow, x, 0.7);
      return { both, logProbability, alone, logProbAlone: logProb(flow, alone) };
    });
    close(r.both, r.alone, ROUND_TRIP);
    close(r.logProbability, r.logProbAlone, LOG_DET * D);
  });

  test('temperature 0 is the image of z = 0', async () => {
    const r = await evaluate(specimen, { ...data, zero: new Float32Array(B * D) }, (flow, { x, zero }) => ({
      cold: sample(flow, x, 0),
      centre: sample(flow, zero),
    }));
    close(r.cold, r.centre, 1e-12); // not toEqual: -0 is as good as 0
  });

  test('extreme inputs: finite stays finite, NaN stays in its row', async () => {
    const rows = [0, 1, -1, 1e4, -1e4, Number.NaN];
    const x = Float32Array.from(rows.flatMap((v) => Array<number>(D).fill(v)));
    const cond = normals(key(3), rows.length * C);
    const r = await evaluate(specimen, { x, cond }, (flow, inputs) => {
      const [z, logDet] = encode(flow, inputs.x);
      const [back, backLogDet] = decode(flow, inputs.x);
      return { z, logDet, back, backLogDet };
    });
    const last = rows.length - 1;
    for (const value of [r.z, r.back]) {
      expect(value.subarray(0, last * D).every(Number.isFinite)).toBe(true);
      expect(value.subarray(last * D).some(Number.isNaN)).toBe(true);
    }
    for (const value of [r.logDet, r.backLogDet]) expect(value.subarray(0, last).every(Number.isFinite)).toBe(true);
  });

  test('the density integrates to 1 on a grid', async () => {
    expect(Math.abs((await integral(make(2))) - 1)).toBeLessThan(INTEGRAL);
  });
});

describe.each(REGISTRY.filter(({ flexible }) => flexible))('$name', ({ make }) => {
  test('training recovers a known density; samples pass for data; the integral stays 1', async () => {
    const { specimen: trained, nll, samples, truth } = await trainOnBanana(make(2));
    expect(Math.abs(nll - bananaEntropy)).toBeLessThan(0.05);
    expect(energyDistanceTest(samples, truth, 3, key(7))).toBeGreaterThan(REJECTED);
    expect(energyDistanceTest(normals(key(8), samples.length), truth, 3, key(9))).toBeLessThan(REJECTED);
    expect(Math.abs((await integral(trained)) - 1)).toBeLessThan(INTEGRAL);
  });
});

/** A two-sample test rejects below this p-value. */
const REJECTED = 0.01;

/**
 * The integral of p(x | c) for one c by the trapezoid rule in u, x = sinh(u): fine cells in the middle, and a span of
 * +-74 for the wide tails of flows that are not trained.
 */
const INTEGRAL = 5e-3;
const SPAN = 5;
const CELLS = 300;

async function integral(specimen: Specimen): Promise<number> {
  const width = (2 * SPAN) / CELLS;
  const at = (i: number) => (i + 0.5) * width - SPAN;
  const n = CELLS;
  const x = new Float32Array(2 * n * n);
  for (let i = 0; i < n * n; i++) {
    x[2 * i] = Math.sinh(at(Math.floor(i / n)));
    x[2 * i + 1] = Math.sinh(at(i % n));
  }
  const row = normals(key(4), C);
  const cond = Float32Array.from({ length: n * n * C }, (_, i) => row[i % C]);
  const { density } = await evaluate(specimen, { x, cond }, (flow, inputs) => ({
    density: exp(logProb(flow, inputs.x)),
  }));
  const area = (i: number) => Math.cosh(at(Math.floor(i / n))) * Math.cosh(at(i % n)) * width ** 2;
  return density.reduce((total, p, i) => total + p * area(i), 0);
}
