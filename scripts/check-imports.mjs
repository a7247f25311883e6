// The architecture as a check: a folder of src/ may import itself, the leaf modules at the root of src/
// (address-space, errors, files, json, lifetime, lock, random, version, wasm and their parts) and what this table names; nothing else. See
// docs/architecture.md. And ONNX Runtime has one door, types included: src/tensor/engine.ts settles its telemetry first.
import * as fs from 'node:fs';
import * as path from 'node:path';

const below = {
  tensor: [],
  nn: ['tensor'],
  flows: ['nn', 'tensor'],
  decoders: ['flows', 'nn', 'tensor'],
  encoders: ['nn', 'tensor'],
  policy: ['decoders', 'encoders', 'flows', 'nn', 'tensor'],
  data: ['tensor'],
  sim: [],
  train: ['policy', 'data', 'decoders', 'encoders', 'flows', 'nn', 'tensor'],
  eval: ['policy', 'sim', 'data', 'decoders', 'encoders', 'flows', 'nn', 'tensor'],
  reproduce: ['bench', 'train', 'eval', 'policy', 'sim', 'data', 'tensor'],
  bench: ['train', 'eval', 'decoders', 'flows', 'nn', 'tensor'],
  cli: null,
};

const root = path.dirname(import.meta.dirname);
const src = path.join(root, 'src');
const wrong = [];

const ENGINE = /(?:from|import|require|resolve)\s*\(?\s*['"`]onnxruntime-node/;
const DOOR = path.join('src', 'tensor', 'engine.ts');
for (const folder of ['src', 'test', 'bench', 'scripts'])
  for (const name of fs.readdirSync(path.join(root, folder), { recursive: true })) {
    const file = path.join(folder, name);
    if (!/\.[cm]?[jt]s$/.test(file) || file === DOOR) continue;
    if (ENGINE.test(fs.readFileSync(path.join(root, file), 'utf8')))
      wrong.push(`${file} imports onnxruntime-node: only ${DOOR} may; use its loadEngine`);
  }

for (const entry of fs.readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const file = path.join(entry.parentPath, entry.name);
  const [folder, ...rest] = path.relative(src, file).split(path.sep);
  if (rest.length > 0 && !(folder in below)) wrong.push(`src/${folder}/ is not a folder of the architecture`);
  const allowed = rest.length === 0 ? [] : below[folder];
  if (allowed === null) continue;
  for (const [, target] of fs.readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)) {
    const [other, ...deeper] = path.relative(src, path.resolve(path.dirname(file), target)).split(path.sep);
    const testSupport = other === '..' && file.endsWith('.test.ts');
    if (deeper.length === 0 || other === folder || allowed.includes(other) || testSupport) continue;
    wrong.push(
      `${path.relative(path.dirname(src), file)} imports ${target}: src/${folder} may import ${allowed.join(', ') || 'nothing'}`,
    );
  }
}
if (wrong.length > 0) {
  console.error(`Imports that the architecture forbids:\n${[...new Set(wrong)].join('\n')}`);
  process.exit(1);
}
