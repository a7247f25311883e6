/** Exported models: another process with nothing but ONNX Runtime gets the policy's actions from them. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encoderOf } from '../../src/encoders/index.ts';
import { loadRuntime, type NodeRuntime } from '../../src/engine/onnxruntime-node.ts';
import { loadPolicy } from '../../src/policy/index.ts';
import { fold, key, normals } from '../../src/random.ts';
import { savePixelPolicy } from '../support/pixel-policy.ts';
import { observation, saveRandomPolicy } from '../support/policy.ts';
import { nina } from './nina.ts';

const DECODERS = {
  mlp: { name: 'nina', n_layers: 3, affine_dim: 8, cond_dim: 12 },
  trans: { name: 'nina', backbone: 'trans', n_layers: 2, affine_dim: 8, n_heads: 2, block_depth: 1, cond_dim: 12 },
  flower: { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 },
  regression: { name: 'regression', hidden_dim: 16, cond_dim: 12 },
} as const;
/** Of the action range: float32 sums in another order, amplified by the flow. */
const TOLERANCE = 2e-4;

let ort: NodeRuntime;
let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
beforeAll(async () => {
  ort = await loadRuntime();
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'export-'));
  for (const [name, decoder] of Object.entries(DECODERS)) await saveRandomPolicy(at(name), decoder);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const load = (file: string) => ort.InferenceSession.create(file, { logSeverityLevel: 3 });
const floats = (data: Float32Array, shape: readonly number[]) => new ort.Tensor('float32', data, [...shape]);

describe.each(Object.keys(DECODERS) as (keyof typeof DECODERS)[])('the %s decoder', (name) => {
  test('encoder and decoder run outside this package as the policy does', async () => {
    expect(nina('export', at(name), '--part', 'encoder', '--onnx', at(`${name}-e.onnx`)).code).toBe(0);
    const said = nina('export', at(name), '--onnx', at(`${name}-d.onnx`));
    expect(said.stdout).toMatch(/operators of ai\.onnx 17 only\n[\s\S]*outputs {2}actions \[[\s\S]*not clamped/);
    using policy = await loadPolicy(at(name));
    const { config } = policy;
    const own = encoderOf(config.encoder);
    const arrays = own.arrays(config.encoder, 1);
    own.writer(config.encoder, policy.statistics.encoder, {}).write(observation, arrays, 0);

    const encoder = await load(at(`${name}-e.onnx`));
    const shapes = JSON.parse(
      nina('export', at(name), '--part', 'encoder', '--onnx', at('again.onnx'), '--json').stdout,
    ).inputs;
    const feeds = Object.entries(arrays).map(([input, data]) => {
      const { shape } = shapes[input];
      return [input, data instanceof BigInt64Array ? new ort.Tensor('int64', data, shape) : floats(data, shape)];
    });
    const condition = (await encoder.run(Object.fromEntries(feeds))).condition;

    const decoder = await load(at(`${name}-d.onnx`));
    const z = normals(fold(key(5)), 70);
    const shape = config.decoder.name === 'nina' ? [1, 70] : [1, 10, 7];
    const noise = decoder.inputNames.includes('z') && { z: floats(z, shape) };
    const decoded = await decoder.run({ ...noise, condition });
    const { actions } = await policy.infer(observation, { key: key(5), temperature: 1 });
    const got = decoded.actions.data as Float32Array;
    const worst = Math.max(...actions.map((a, i) => Math.abs(a - Math.min(1, Math.max(-1, got[i])))));
    expect(worst).toBeLessThan(TOLERANCE);
  });
});

test('a flow scores actions; the others are refused with the reason', async () => {
  const result = JSON.parse(
    nina('export', at('mlp'), '--part', 'log-prob', '--batch', '3', '--onnx', at('p.onnx'), '--json').stdout,
  );
  expect(result).toMatchObject({
    opset: 17,
    inputs: { actions: { shape: [3, 70] }, condition: { shape: [3, 12] } },
    metadata: { step: '0', part: 'log-prob' },
  });
  // The file itself says where it comes from.
  const file = fs.readFileSync(at('p.onnx'));
  for (const text of ['data_hash', 'package_version', '"affine_dim":8']) expect(file.includes(text)).toBe(true);
  const session = await load(at('p.onnx'));
  const drawn = await session.run({
    actions: floats(normals(key(1), 210), [3, 70]),
    condition: floats(normals(key(2), 36), [3, 12]),
  });
  expect((drawn.logProb.data as Float32Array).every(Number.isFinite)).toBe(true);
  const { code, stderr } = nina('export', at('flower'), '--part', 'log-prob', '--onnx', at('no.onnx'));
  expect([code, stderr]).toEqual([2, expect.stringMatching(/has a flower decoder, which gives no log-probability/)]);
  expect(fs.existsSync(at('no.onnx'))).toBe(false);
});

describe('a whole policy that reads pictures', () => {
  beforeAll(() => savePixelPolicy(at('pixels'), DECODERS.mlp));

  test('answers from its file as from its checkpoint, and a report beside it says so', async () => {
    const said = nina('export', at('pixels'), '--part', 'policy', '--onnx', at('whole.onnx'));
    expect(said.stdout).toMatch(/operators of ai\.onnx 17 only\n[\s\S]*it answers within \d+e-\d+ of the policy/);
    const report = JSON.parse(fs.readFileSync(at('whole.json'), 'utf8'));
    const named = report.inputs.map(({ name }: { name: string }) => name).sort();
    expect(named).toEqual(['florence2.ids', 'florence2.pixels', 'florence2.real', 'z']);
    expect(report.pass).toBe(true);
    expect(report.difference).toBeLessThanOrEqual(report.limit);
    const model = await load(at('whole.onnx'));
    const feeds = report.inputs.map(({ name, dtype, shape, data }: Record<string, never>) => [
      name,
      dtype === 'int64'
        ? new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape)
        : floats(Float32Array.from(data), shape),
    ]);
    const { actions } = await model.run(Object.fromEntries(feeds));
    const { self_test } = JSON.parse(fs.readFileSync(at('pixels', 'manifest.json'), 'utf8'));
    // The checkpoint's own answer, when it was saved.
    const stored: number[] = self_test.actions;
    const worst = stored.reduce((most, v, i) => Math.max(most, Math.abs(v - Number(actions.data[i]))), 0);
    expect(worst).toBeLessThan(TOLERANCE);
    expect(report.outputs[0].shape).toEqual([1, 10, 7]);
  });
});
