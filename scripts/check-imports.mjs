// The architecture as a check: a folder of src/ may import itself, the leaf modules at the root of src/
// (address-space, errors, files, hash, json, lifetime, lock, machine, math, progress, random, registry, version, wasm and their parts)
// and what this table names; nothing else, and no files import one another in a circle. See docs/architecture.md. One
// decoder or encoder is for its registry alone: nothing else asks for its name. And one file imports ONNX Runtime:
// src/engine/onnxruntime-node.ts, which settles its telemetry first. Imports of types count everywhere.
import * as fs from 'node:fs';
import * as path from 'node:path';

const below = {
  robot: ['statistics'],
  statistics: [],
  jobs: [],
  tensor: [],
  engine: ['tensor'],
  nn: ['tensor'],
  flows: ['nn', 'tensor'],
  decoders: ['flows', 'nn', 'tensor', 'engine', 'robot'],
  encoders: ['nn', 'tensor', 'engine', 'robot'],
  policy: ['decoders', 'encoders', 'flows', 'nn', 'tensor', 'engine', 'robot', 'statistics'],
  data: ['tensor', 'robot', 'statistics'],
  sim: ['robot'],
  train: ['jobs', 'policy', 'data', 'decoders', 'encoders', 'flows', 'nn', 'tensor', 'engine', 'robot', 'statistics'],
  pretrain: ['jobs', 'train', 'policy', 'sim', 'decoders', 'encoders', 'nn', 'tensor', 'engine', 'robot', 'statistics'],
  rollout: ['jobs', 'engine', 'policy', 'sim', 'robot', 'statistics'],
  record: ['jobs', 'policy', 'sim', 'data', 'robot'],
  study: ['rollout', 'policy', 'sim', 'robot', 'statistics'],
  report: ['rollout', 'record', 'policy', 'sim', 'data', 'decoders', 'robot', 'statistics'],
  reproduce: [
    'jobs',
    'train',
    'rollout',
    'record',
    'report',
    'policy',
    'sim',
    'data',
    'tensor',
    'engine',
    'robot',
    'statistics',
  ],
  bench: [
    'data',
    'train',
    'rollout',
    'record',
    'report',
    'policy',
    'decoders',
    'encoders',
    'flows',
    'nn',
    'tensor',
    'engine',
    'robot',
    'statistics',
  ],
  import: ['policy', 'decoders', 'encoders', 'nn', 'tensor', 'engine', 'robot'],
  cli: null,
};

const root = path.dirname(import.meta.dirname);
const src = path.join(root, 'src');
const wrong = [];

const ENGINE = /(?:from|import|require|resolve)\s*\(?\s*['"`]onnxruntime-node/;
const ENGINE_FILE = path.join('src', 'engine', 'onnxruntime-node.ts');
for (const folder of ['src', 'test', 'bench', 'scripts'])
  for (const name of fs.readdirSync(path.join(root, folder), { recursive: true })) {
    const file = path.join(folder, name);
    if (!/\.[cm]?[jt]s$/.test(file) || file === ENGINE_FILE) continue;
    if (ENGINE.test(fs.readFileSync(path.join(root, file), 'utf8')))
      wrong.push(`${file} imports onnxruntime-node: only ${ENGINE_FILE} may; use its loadRuntime`);
  }

/** The folder of one decoder or encoder that a file of src/ lies in: 'decoders/nina'. */
const memberOf = (file) => /^((?:decoders|encoders)\/[^/]+)\//.exec(file.split(path.sep).join('/'))?.[1];
/** Who may import from it beside itself: the registry, tests, and what measures, checks or pretrains one by name. */
const KNOW_MEMBERS =
  /^(decoders|encoders)\/index\.ts$|\.test\.ts$|^bench\/|^cli\/(bench-train|parity)\.ts$|^import\/parity\.ts$|^pretrain\//;

/** What each file of src/ imports of src/, types included. */
const imports = new Map();
for (const entry of fs.readdirSync(src, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
  const file = path.join(entry.parentPath, entry.name);
  const [folder, ...rest] = path.relative(src, file).split(path.sep);
  if (rest.length > 0 && !(folder in below)) wrong.push(`src/${folder}/ is not a folder of the architecture`);
  const allowed = rest.length === 0 ? [] : below[folder];
  const targets = [...fs.readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(
    ([, to]) => to,
  );
  imports.set(
    file,
    targets.map((target) => path.resolve(path.dirname(file), target)),
  );
  for (const target of targets) {
    const [other, ...deeper] = path.relative(src, path.resolve(path.dirname(file), target)).split(path.sep);
    const member = memberOf(path.join(other, ...deeper));
    if (member && member !== memberOf(path.relative(src, file)) && !KNOW_MEMBERS.test(path.relative(src, file)))
      wrong.push(
        `${path.relative(root, file)} imports ${target}: src/${member}/ is for its registry, src/${other}/index.ts; ask that`,
      );
    // Tests run graphs.
    const testSupport = file.endsWith('.test.ts') && (other === '..' || other === 'engine');
    if (allowed === null || deeper.length === 0 || other === folder || allowed.includes(other) || testSupport) continue;
    wrong.push(
      `${path.relative(path.dirname(src), file)} imports ${target}: src/${folder} may import ${allowed.join(', ') || 'nothing'}`,
    );
  }
}

/** Files that import one another: none of them can be read, or moved, without the others. Depth first, each file once. */
const done = new Set();
function walk(file, way) {
  if (way.includes(file)) {
    const circle = [...way.slice(way.indexOf(file)), file].map((one) => path.relative(root, one));
    wrong.push(`a circle: ${circle.join(' imports ')}`);
    return;
  }
  if (done.has(file)) return;
  for (const target of imports.get(file) ?? []) walk(target, [...way, file]);
  done.add(file);
}
for (const file of imports.keys()) walk(file, []);

if (wrong.length > 0) {
  console.error(`Imports that the architecture forbids:\n${[...new Set(wrong)].join('\n')}`);
  process.exit(1);
}
