/** Checkpoints: as they are copied (hashes tell), and with hashes that fit, so that what is wrong must be seen as such. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { beforeAll, test } from 'vitest';
import { type Checkpoint, loadPolicy, readCheckpoint } from '../../src/policy/index.ts';
import type { Rng } from '../../src/random.ts';
import { observationFromJson } from '../../src/robot/index.ts';
import { leaves, type NDArray } from '../../src/tensor/index.ts';
import { saveRandomPolicy } from '../support/policy.ts';
import { expectBoth, hunt, notSound, PATIENCE_MS } from './battery.ts';
import { anyBytes } from './bytes.ts';
import { anyJson } from './json.ts';
import { anySafetensors } from './safetensors.ts';

type Files = Record<string, Buffer>;
const DECODERS: readonly object[] = [
  {},
  {
    name: 'nina',
    backbone: 'trans',
    n_layers: 1,
    affine_dim: 8,
    n_heads: 2,
    block_depth: 1,
    cond_dim: 4,
    use_plu: false,
  },
  { name: 'flower', dit_dim: 8, n_heads: 1, n_layers: 1 },
  { name: 'regression', hidden_dim: 8, n_layers: 2, cond_dim: 8 },
];
let whole: Files[];

beforeAll(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-fuzz-policies-'));
  const scales = { quantiles: [0, 1, 2.5], temperature: 1 };
  whole = await Promise.all(
    DECODERS.map(async (decoder, i) => {
      const surprise = i === 0 ? { horizon: 5, n: 9, scales: [scales] } : undefined;
      const directory = await saveRandomPolicy(path.join(folder, String(i)), decoder, { surprise, scale: 0.2 });
      const names = fs.readdirSync(directory);
      return Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(directory, name))]));
    }),
  );
  fs.rmSync(folder, { recursive: true });
});

const weights = anySafetensors(5);

function mutate(files: Files, r: Rng): Files {
  const name = r.pick([
    'config.json',
    'config.json',
    'stats.json',
    'manifest.json',
    'manifest.json',
    'model.safetensors',
  ]);
  const bytes = files[name];
  if (r.int(40) === 0) return Object.fromEntries(Object.entries(files).filter(([other]) => other !== name));
  const how = name.endsWith('.json') ? anyJson : r.int(4) === 0 ? anyBytes : weights;
  return { ...files, [name]: how(bytes ?? Buffer.from('{}'), r) };
}

/** The manifest as if the files had been saved as they are. */
function withHashes(files: Files): Files {
  let manifest: { files?: Record<string, string> };
  try {
    manifest = JSON.parse(files['manifest.json'].toString('utf8'));
  } catch {
    return files;
  }
  if (typeof manifest?.files !== 'object' || manifest.files === null) return files;
  let text = files['manifest.json'].toString('utf8');
  for (const [name, found] of Object.entries(manifest.files)) {
    if (typeof found !== 'string' || found.length !== 64 || !Object.hasOwn(files, name)) continue;
    // In the text, which may hold what JSON.stringify would not write again.
    text = text.replaceAll(found, createHash('sha256').update(files[name]).digest('hex'));
  }
  return { ...files, 'manifest.json': Buffer.from(text) };
}

function unsound({ config, statistics, manifest, model }: Checkpoint): string | undefined {
  for (const [name, leaf] of leaves(model.params)) {
    const wrong = notSound((leaf as NDArray).data, name);
    if (wrong) return wrong;
  }
  for (const order of Object.values(model.buffers))
    if (`${[...order].sort((a, b) => a - b)}` !== `${order.map((_, i) => i)}`) return `${order} is no permutation`;
  return notSound([config, manifest, statistics.encoder, statistics.surprise]);
}

test('a copy that is damaged', { timeout: PATIENCE_MS }, async () => {
  await hunt({
    name: 'checkpoint',
    files: (r) => r.pick(whole),
    mutate,
    read: (folder) => unsound(readCheckpoint(folder)),
  });
});

test('files that are wrong under hashes that fit', { timeout: PATIENCE_MS }, async () => {
  const seen = await hunt({
    name: 'checkpoint-hashed',
    files: (r) => r.pick(whole),
    mutate: (files, r) => withHashes(mutate(files, r)),
    async read(folder, index) {
      const wrong = unsound(readCheckpoint(folder));
      if (wrong || index % 10 !== 0) return wrong;
      using policy = await loadPolicy(folder);
      return notSound(
        await policy.sample(observationFromJson(policy.manifest.self_test.observation), {
          key: [1, 2],
          temperature: 0.5,
        }),
      );
    },
  });
  expectBoth(seen);
});
