/**
 * A graphics card computes what the CPU does. It runs where there is one, be it the software driver of SwiftShader
 * (docs/devices.md says how to have that), and says so where there is none.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AGREEMENT, compareDevices, type DeviceRow } from '../src/bench/devices.ts';
import { cpu, type Engine, onnxruntime } from '../src/engine/index.ts';
import { NinaError } from '../src/errors.ts';
import { exp, input } from '../src/tensor/index.ts';
import { nina } from './cli/nina.ts';
import { writeDemonstrations } from './support/demonstrations.ts';

/** Software drivers compile every shader on the CPU. */
const PATIENCE_MS = 900_000;

const webgpu = onnxruntime({ device: 'webgpu' });
/** Why there is no adapter; undefined if there is one. */
let missing: string | undefined;
beforeAll(async () => {
  try {
    using program = await webgpu.compile({ y: exp(input('x', [1])) });
    await program.run({ x: new Float32Array(1) });
  } catch (error) {
    if (!(error instanceof NinaError)) throw error;
    missing = error.message;
    console.warn(`Not compared with a graphics card: ${missing}`);
  }
}, PATIENCE_MS);

const compared = async (device: Engine): Promise<DeviceRow[]> => {
  const rows: DeviceRow[] = [];
  for await (const row of compareDevices(cpu, device, 1)) rows.push(row);
  return rows;
};

test('encoder, decodes and training steps agree with the CPU', { timeout: PATIENCE_MS }, async () => {
  if (missing) {
    expect(missing).toContain('There is no device webgpu here');
    return;
  }
  const rows = await compared(webgpu);
  expect(rows).toHaveLength(12);
  for (const { model, what, worst, difference } of rows)
    expect(difference, `${model}, ${what}: ${worst}`).toBeLessThanOrEqual(AGREEMENT);
});

test('a device that computes one gradient otherwise is seen', async () => {
  const broken: Engine = {
    ...cpu,
    async compile(outputs, options) {
      const program = await cpu.compile(outputs, options);
      return {
        ...program,
        async run(feeds, into) {
          const results = await program.run(feeds, into);
          const last = Object.keys(results).at(-1)!;
          return { ...results, [last]: results[last].map((v) => 1.01 * v) };
        },
      };
    },
  };
  const rows = await compared(broken);
  for (const { difference } of rows) expect(difference).toBeGreaterThan(AGREEMENT);
  for (const { difference } of await compared(cpu)) expect(difference).toBe(0);
});

describe('the commands', () => {
  let dir: string;
  beforeAll(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'devices-'));
  });
  afterAll(() => fs.rmSync(dir, { recursive: true }));

  test('nina train --device webgpu trains, or says what is missing', { timeout: PATIENCE_MS }, async () => {
    const demos = path.join(dir, 'demos');
    await writeDemonstrations(demos, 4);
    const small = ['--n_layers', 2, '--affine_dim', 16, '--batch_size', 4, '--max_steps', 2, '--set', 'encoder.dim=16'];
    const run = ['train', '--data', demos, '--out', path.join(dir, 'run'), '--seed', 1, ...small];
    const { code, stderr } = nina(...run, '--device', 'webgpu');
    if (missing) expect([code, stderr]).toEqual([1, expect.stringContaining('There is no device webgpu here')]);
    else expect([code, stderr]).toEqual([0, expect.any(String)]);
  });

  test('nina eval --device webgpu refuses a backend of the CPU', () => {
    const options = [
      '--suite',
      'tabletop-object',
      '--episodes',
      1,
      '--seed',
      0,
      '--device',
      'webgpu',
      '--backend',
      'wasm',
    ];
    const { code, stderr } = nina('eval', path.join(dir, 'run'), ...options);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('The backend wasm runs on the CPU: with --device webgpu choose graph or onnx.'),
    ]);
  });
});
