// Optional: the files of `nina export` in other runtimes. Exports every part of every decoder in several batch sizes and
// asks each Python given whether its onnx package finds them valid and its onnxruntime answers as onnxruntime-node does.
// Usage: npm run build && node bench/check-onnx.mjs [PYTHON ...]   (each with onnxruntime, or onnx, or both)
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { decoderSchema } from '../dist/decoders/index.js';
import { configFor, stateSchema } from '../dist/encoders/state/index.js';
import { loadRuntime } from '../dist/engine/onnxruntime-node.js';
import { EXPORT_PARTS, exportModel, init, LIBERO_ACTION } from '../dist/policy/index.js';
import { fold, key, normals, rng } from '../dist/random.js';
import { mapTree } from '../dist/tensor/index.js';

const pythons = process.argv.length > 2 ? process.argv.slice(2) : ['python3'];
const BATCHES = [1, 3, 16];
/**
 * Largest difference, relative to the largest number of an output (or 1): float32 sums in another order and another
 * library's exp and tanh differ by 1e-6, which a flow of a few layers can amplify a hundredfold.
 */
const TOLERANCE = 2e-4;
const nina = { decoder: 'nina', n_layers: 3, affine_dim: 8, cond_dim: 12 };
const trans = { ...nina, backbone: 'trans', n_heads: 2, block_depth: 2 };
const DECODERS = {
  mlp: { ...nina, use_plu: false },
  'mlp-plu': { ...nina, use_plu: true },
  trans: { ...trans, use_plu: false },
  'trans-plu': { ...trans, use_plu: true },
  flower: { decoder: 'flower', dit_dim: 16, n_heads: 2, n_layers: 2, embed_dim: 64 },
  regression: { decoder: 'regression', hidden_dim: 16, cond_dim: 12 },
};

/** A checkpoint of random weights, none of which is 0 or 1. */
function checkpoint(decoder) {
  const known = { categories: ['can', 'basket'], instruction: 'put the can in the basket' };
  const config = {
    encoder: configFor(stateSchema.parse({ encoder_dim: 16, encoder_heads: 2 }), [known]),
    decoder: decoderSchema.parse(decoder),
    action: LIBERO_ACTION,
    multistep: 10,
    temperature: 1,
  };
  const { params, buffers } = init(key(3), config);
  const moved = mapTree(params, ({ shape, data }, name) => {
    const noise = normals(fold(key(4), name), data.length);
    return { shape, data: data.map((w, i) => w + 0.02 * noise[i]) };
  });
  const manifest = { step: 0, seed: 3, data_hash: 'none', package_version: '0', files: {} };
  return { config, model: { params: moved, buffers }, statistics: {}, manifest, directory: 'memory' };
}

/** Inputs of a model: integers are word and category numbers, of which 0 and 1 always exist. */
function draw({ inputs }) {
  const numbers = rng(key(7));
  return Object.entries(inputs).map(([name, { shape, dtype }]) => {
    const n = shape.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: n }, () =>
      dtype === 'int64' ? Number(numbers.normal() > 0) : numbers.normal(),
    );
    return { name, shape, dtype, data: values.map(Math.fround) };
  });
}

const ort = await loadRuntime();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-onnx-'));
const opsets = {};
for (const [decoder, settings] of Object.entries(DECODERS))
  for (const part of EXPORT_PARTS.filter((part) => part !== 'log-prob' || settings.decoder === 'nina'))
    for (const batch of BATCHES) {
      const { bytes, signature, opset } = exportModel(checkpoint(settings), part, batch);
      const inputs = draw(signature);
      const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
      const tensor = ({ shape, dtype, data }) =>
        new ort.Tensor(dtype, dtype === 'int64' ? BigInt64Array.from(data, BigInt) : Float32Array.from(data), shape);
      const answers = await session.run(Object.fromEntries(inputs.map((input) => [input.name, tensor(input)])));
      const outputs = Object.entries(answers).map(([name, { data }]) => ({ name, data: [...data] }));
      const name = `${decoder} ${part} ${batch}`;
      opsets[name] = opset;
      fs.writeFileSync(path.join(folder, `${name}.onnx`), bytes);
      fs.writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ inputs, outputs }));
    }

let failed = 0;
console.log('| Python | checked by | models | largest relative difference | failures |\n|---|---|---|---|---|');
for (const python of pythons) {
  const script = path.join(import.meta.dirname, 'check_onnx.py');
  const lines = execFileSync(python, [script, folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (!lines.trim()) throw new Error(`${python} has neither onnx nor onnxruntime: install one with its pip.`);
  const rows = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const tool of new Set(rows.map((row) => row.tool))) {
    const own = rows.filter((row) => row.tool === tool);
    const wrong = own.filter(({ error, difference }) => error || !((difference ?? 0) <= TOLERANCE));
    const worst = Math.max(...own.map(({ difference }) => difference ?? 0)).toExponential(1);
    console.log(
      `| ${own[0].python} | ${tool} | ${own.length} | ${tool.includes('checker') ? '' : worst} | ${wrong.length} |`,
    );
    for (const { name, error, difference } of wrong) console.error(`${tool}, ${name}: ${error ?? difference}`);
    failed += wrong.length;
  }
}
console.log(
  `\nOpset ${Math.min(...Object.values(opsets))} to ${Math.max(...Object.values(opsets))} of ai.onnx; tolerance ${TOLERANCE}.`,
);
fs.rmSync(folder, { recursive: true });
process.exit(failed > 0 ? 1 : 0);
