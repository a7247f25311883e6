/** Exported models keep to the ONNX standard, and another runtime computes from them what ours does. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as web from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadRuntime } from '../src/engine/onnxruntime-node.ts';
import { EXPORT_PARTS, type ExportedModel, type ExportPart, exportModel, readCheckpoint } from '../src/policy/index.ts';
import { fold, key, normals } from '../src/random.ts';
import { onnxFacts } from './support/onnx.ts';
import { savePixelPolicy } from './support/pixel-policy.ts';
import { saveRandomPolicy } from './support/policy.ts';

const trans = { backbone: 'trans', n_layers: 2, block_depth: 2 };
const DECODERS: Record<string, object> = {
  mlp: { use_plu: false },
  'mlp with PLU': {},
  transformer: { ...trans, use_plu: false },
  'transformer with PLU': trans,
  flower: { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 },
  regression: { name: 'regression', hidden_dim: 16, cond_dim: 12 },
};
/** Decoders of policies that read pictures. */
const PIXELS: Record<string, object> = {
  'pixels, mlp': { name: 'nina', n_layers: 3, affine_dim: 8, cond_dim: 12 },
  'pixels, flower': { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 },
};
const BATCHES = [1, 3];
/** Of the largest number, or 1: another build's sums and exponentials, in float32, amplified by a few layers of flow. */
const TOLERANCE = 2e-4;
/** ONNX Runtime 1.12 of July 2022 is the first to know it; it brought LayerNormalization. */
const NEWEST_OPSET = 17;

let dir: string;
const directory = (name: string) => path.join(dir, name);
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-'));
  for (const [name, decoder] of Object.entries(DECODERS)) await saveRandomPolicy(directory(name), decoder);
  for (const [name, decoder] of Object.entries(PIXELS)) await savePixelPolicy(directory(name), decoder);
  web.env.wasm.numThreads = 1;
  web.env.logLevel = 'error';
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const partsOf = (name: string): readonly ExportPart[] =>
  EXPORT_PARTS.filter((part) => part !== 'log-prob' || !/flower|regression/.test(name));
const CASES = [
  ...Object.keys(DECODERS).flatMap((name) => partsOf(name).map((part) => [name, part] as const)),
  ...Object.keys(PIXELS).flatMap((name) => (['encoder', 'policy'] as const).map((part) => [name, part] as const)),
];

/** Inputs of a model, as either runtime takes them; 0 and 1 are the numbers of some word and some category. */
function draw({ signature }: ExportedModel, Tensor: typeof web.Tensor): Record<string, web.Tensor> {
  const drawn = Object.entries(signature.inputs).map(([name, { shape, dtype }]) => {
    const values = normals(
      fold(key(1), name),
      shape.reduce((a, b) => a * b, 1),
    );
    const ids = () => BigInt64Array.from(values, (v) => (v > 0 ? 1n : 0n));
    return [name, dtype === 'int64' ? new Tensor('int64', ids(), shape) : new Tensor('float32', values, shape)];
  });
  return Object.fromEntries(drawn);
}

describe.each(CASES)('%s, %s', (name, part) => {
  const NAMES = {
    encoder: ['condition'],
    decoder: ['actions', 'logProb'],
    'log-prob': ['logProb'],
    policy: ['actions'],
  };

  test.each(BATCHES)('a batch of %i: only ai.onnx, of the lowest version, under plain names', (batch) => {
    const { bytes, opset, signature, metadata } = exportModel(readCheckpoint(directory(name)), part, batch);
    const facts = onnxFacts(bytes);
    expect(Object.keys(facts.opsets)).toEqual(['']);
    expect(facts.opsets['']).toBe(opset);
    expect(opset).toBeLessThanOrEqual(NEWEST_OPSET);
    expect(facts.irVersion).toBe(8);
    expect([...facts.operators].filter((op) => !op.startsWith(':'))).toEqual([]);
    const outputs = name in { flower: 0, regression: 0 } && part === 'decoder' ? ['actions'] : NAMES[part];
    expect([facts.outputs, Object.keys(signature.outputs)]).toEqual([outputs, outputs]);
    expect(facts.inputs).toEqual(Object.keys(signature.inputs));
    expect(facts.metadata).toEqual(metadata);
  });

  test.each(BATCHES)('a batch of %i: ONNX Runtime for the web answers as ours does', async (batch) => {
    const model = exportModel(readCheckpoint(directory(name)), part, batch);
    const elsewhere = await web.InferenceSession.create(model.bytes, { executionProviders: ['wasm'] });
    const got = await elsewhere.run(draw(model, web.Tensor));
    const ort = await loadRuntime();
    const ours = await ort.InferenceSession.create(model.bytes, { executionProviders: ['cpu'], logSeverityLevel: 3 });
    const wanted = await ours.run(draw(model, ort.Tensor));
    expect(Object.keys(got)).toEqual(Object.keys(wanted));
    for (const [output, { data }] of Object.entries(wanted)) {
      const numbers = data as Float32Array;
      const largest = numbers.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
      const answer = got[output].data as Float32Array;
      const worst = numbers.reduce((most, v, i) => Math.max(most, Math.abs(v - answer[i])), 0);
      expect(worst / largest).toBeLessThan(TOLERANCE);
    }
    await elsewhere.release();
    await ours.release();
  });
});
