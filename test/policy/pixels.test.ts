/** A policy that reads pictures, on its backends. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpu } from '../../src/engine/index.ts';
import { buildPolicy, loadPolicy, readCheckpoint } from '../../src/policy/index.ts';
import { key } from '../../src/random.ts';
import { leaves, type NDArray } from '../../src/tensor/index.ts';
import { observation } from '../support/florence2.ts';
import { savePixelPolicy } from '../support/pixel-policy.ts';

/** Of an action's range of 2: sums in another order, through a flow of three layers. */
const ACTIONS = 1e-4;
/** The same with an encoder whose matrices, and what they multiply, have 8 bits. */
const ACTIONS_INT8 = 4e-2;

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-pixels-'));
beforeAll(() => savePixelPolicy(directory, { name: 'nina', n_layers: 3, affine_dim: 8, cond_dim: 12 }));
afterAll(() => fs.rmSync(directory, { recursive: true }));

const options = { key: key(4), temperature: 1 };

test('its backends agree', async () => {
  using graph = await loadPolicy(directory, { backend: 'graph' });
  const wanted = (await graph.infer(observation, options)).actions;
  for (const [backend, tolerance] of [
    ['wasm', ACTIONS],
    ['onnx', ACTIONS],
    ['onnx-int8', ACTIONS_INT8],
  ] as const) {
    using policy = await loadPolicy(directory, { backend });
    const { actions } = await policy.infer(observation, options);
    const worst = wanted.reduce((most, v, i) => Math.max(most, Math.abs(v - actions[i])), 0);
    expect(worst).toBeLessThan(tolerance);
  }
});

test('weights of 8 bits are made of numbers that are read one array at a time', async () => {
  const parts = readCheckpoint(directory, { lazy: true });
  const encoder = leaves<NDArray>(parts.model.params.encoder).map(([, leaf]) => leaf);
  expect(encoder.every(({ lazy }) => lazy)).toBe(true);
  expect(encoder[0].data).not.toBe(encoder[0].data);
  using late = await buildPolicy(parts, { backend: 'onnx-int8', engine: cpu });
  using eager = await buildPolicy(readCheckpoint(directory), { backend: 'onnx-int8', engine: cpu });
  expect((await late.infer(observation, options)).actions).toEqual((await eager.infer(observation, options)).actions);
});
