import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { key, normals } from '../../random.ts';
import { assembler, type Local } from './assembler.ts';
import { float32, packFloat32 } from './float32.ts';
import { instantiate } from './instantiate.ts';
import { call } from './instructions.ts';
import { int8, mostActivation, packInt8, quantisedRow, quantiseKernel } from './int8.ts';
import { type Arithmetic, PANEL, paddedInputs, panelBytes, productKernel, roundUp, turnsOf } from './product.ts';

type Exports = {
  memory: { buffer: ArrayBuffer };
  quantise(...args: number[]): void;
  product(...args: number[]): void;
};

const PARAMETERS = Array.from({ length: 10 }, () => 'i32' as const);

async function kernels(arithmetic: Arithmetic) {
  const m = assembler();
  const quantise = quantiseKernel(m);
  const product = productKernel(m, arithmetic);
  const all = (locals: readonly Local[]) => locals.map((p) => p.get);
  m.func('product', PARAMETERS, ({ params }) => call(product, ...all(params)), { exported: true });
  m.func('quantise', ['i32', 'i32', 'i32', 'f32', 'i32', 'i32'], ({ params }) => call(quantise, ...all(params)), {
    exported: true,
  });
  return await instantiate<Exports>(m.bytes(16), 'The test');
}

/** Where things lie: x and its quantised rows, W, init, y. */
const AT = { x: 0, q: 1 << 16, w: 1 << 18, init: 3 << 18, y: (3 << 18) + (1 << 17) };

const sizes = fc.record({
  rows: fc.integer({ min: 1, max: 17 }),
  inputs: fc.integer({ min: 1, max: 40 }),
  outputs: fc.integer({ min: 1, max: 90 }),
  perRow: fc.boolean(),
  seed: fc.nat(1e6),
});

describe.each([float32, int8])('$name', (arithmetic) => {
  const precise = arithmetic === float32;

  test('is x W + init, for any number of rows, inputs and panels', async () => {
    const { memory, product, quantise } = await kernels(arithmetic);
    fc.assert(
      fc.property(sizes, ({ rows, inputs, outputs, perRow, seed }) => {
        new Uint8Array(memory.buffer).fill(0);
        const [K, N] = [paddedInputs(arithmetic, inputs), roundUp(outputs, PANEL)];
        const [x, w, init] = [
          normals(key(seed), rows * inputs),
          normals(key(seed + 1), inputs * outputs),
          normals(key(seed + 2), rows * N),
        ];
        const weight = (k: number, n: number) => (k < inputs && n < outputs ? w[k * outputs + n] : 0);
        const floats = new Float32Array(memory.buffer);
        for (let r = 0; r < rows; r++) floats.set(x.subarray(r * inputs, (r + 1) * inputs), AT.x / 4 + r * K);
        floats.set(init, AT.init / 4);
        const bytes = (N / PANEL) * panelBytes(arithmetic, K);
        if (precise) packFloat32(new Float32Array(memory.buffer, AT.w, bytes / 4), K, N, weight);
        else packInt8(new Int8Array(memory.buffer, AT.w, bytes), K, N, weight);
        if (!precise) quantise(AT.x, 4 * K, AT.q, mostActivation(K), K / 8, rows);
        const from = precise ? [AT.x, 4 * K] : [AT.q, quantisedRow(K)];
        product(...from, AT.w, AT.init, perRow ? 4 * N : 0, AT.y, 4 * N, turnsOf(arithmetic, K), N / PANEL, rows);
        for (let r = 0; r < rows; r++)
          for (let n = 0; n < outputs; n++) {
            let [wanted, size, largest] = [init[(perRow ? r : 0) * N + n], 1, 0];
            for (let k = 0; k < inputs; k++) {
              wanted += x[r * inputs + k] * weight(k, n);
              size += Math.abs(x[r * inputs + k]);
              largest = Math.max(largest, Math.abs(weight(k, n)));
            }
            // Float32: the rounding of some forty sums. 8 bits: half a step of the weights' scale for each input, and
            // little for the activations' 16 bits.
            const tolerance = precise ? 1e-6 * size * (1 + largest) : (0.51 / 127) * size * largest + 1e-3;
            expect(Math.abs(floats[AT.y / 4 + r * N + n] - wanted)).toBeLessThan(tolerance);
          }
      }),
      { numRuns: 150 },
    );
  });
});

describe('8 bits', () => {
  test('sums of the largest numbers stay exact', async () => {
    const { memory, product, quantise } = await kernels(int8);
    for (const inputs of [8, 520, 1024]) {
      const floats = new Float32Array(memory.buffer);
      floats.fill(1, 0, inputs);
      floats.fill(0, AT.init / 4, AT.init / 4 + PANEL);
      packInt8(new Int8Array(memory.buffer, AT.w, panelBytes(int8, inputs)), inputs, PANEL, () => -1);
      quantise(AT.x, 0, AT.q, mostActivation(inputs), inputs / 8, 1);
      product(AT.q, 0, AT.w, AT.init, 0, AT.y, 0, turnsOf(int8, inputs), 1, 1);
      expect(floats[AT.y / 4] / -inputs).toBeCloseTo(1, 5);
    }
  });

  test('a row of zeros is one', async () => {
    const { memory, quantise } = await kernels(int8);
    new Int16Array(memory.buffer).fill(7, AT.q / 2, AT.q / 2 + 16);
    quantise(AT.x, 0, AT.q, mostActivation(8), 1, 1);
    expect([...new Int16Array(memory.buffer, AT.q + int8.xHeader, 8)]).toEqual(Array(8).fill(0));
  });
});
