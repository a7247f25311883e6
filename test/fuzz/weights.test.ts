/** Files of weights: safetensors as such, and the fixtures that decoders are compared with their references by. */

import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { parity as flowerParity } from '../../src/decoders/flower/parity.ts';
import { parity as ninaParity } from '../../src/decoders/nina/parity.ts';
import { cpu, type Engine } from '../../src/engine/index.ts';
import { type Comparison, exceeded } from '../../src/fixture.ts';
import { readSafetensors } from '../../src/safetensors.ts';
import type { SafetensorsFile } from '../../src/safetensors-format.ts';
import { expectBoth, hunt, notSound, PATIENCE_MS } from './battery.ts';
import { anySafetensors } from './safetensors.ts';

/** A file of every dtype, as other programs write it. */
function everyType(): Buffer {
  const header = {
    __metadata__: { format: 'pt', step: '3' },
    wide: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
    single: { dtype: 'F32', shape: [2, 3], data_offsets: [16, 40] },
    half: { dtype: 'F16', shape: [4], data_offsets: [40, 48] },
    brain: { dtype: 'BF16', shape: [2, 1], data_offsets: [48, 52] },
    none: { dtype: 'F32', shape: [0], data_offsets: [52, 52] },
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.from(Array.from({ length: 52 }, (_, i) => (i * 37) % 256))]);
}

test('safetensors', { timeout: PATIENCE_MS }, async () => {
  const bytes = everyType();
  const mutate = anySafetensors(6);
  const seen = await hunt({
    name: 'safetensors',
    files: () => ({ 'a.safetensors': bytes }),
    mutate: ({ 'a.safetensors': file }, r) => ({ 'a.safetensors': mutate(file, r) }),
    read: (folder) =>
      unsound(
        readSafetensors(path.join(folder, 'a.safetensors')),
        fs.statSync(path.join(folder, 'a.safetensors')).size,
      ),
  });
  expectBoth(seen);
});

/** Its numbers may be anything: all bits are. Their places may not. */
function unsound({ tensors, metadata }: SafetensorsFile, size: number): string | undefined {
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    if (data.length !== shape.reduce((a, b) => a * b, 1)) return `${name} [${shape}] holds ${data.length} numbers`;
    if (data.byteLength > 2 * size) return `${name} is larger than its file`;
  }
  return notSound(metadata);
}

/** Flips of the lowest bits are no damage that a comparison in float32 can tell. */
const CLOSE = 1e-3;

const FIXTURES: readonly [string, (file: string, engine: Engine) => Promise<Comparison<string>>, number][] = [
  ['nina-mlp-plu-small', ninaParity, 0.7],
  ['nina-transformer-plu-small', ninaParity, 0.15],
  ['flower-one-head-small', flowerParity, 0.15],
];

test.each(FIXTURES)('parity with %s', { timeout: PATIENCE_MS }, async (name, parity, share) => {
  const bytes = fs.readFileSync(path.join(import.meta.dirname, '../fixtures', `${name}.safetensors`));
  const mutate = anySafetensors(8);
  const original = readSafetensors(path.join(import.meta.dirname, '../fixtures', `${name}.safetensors`));
  const seen = await hunt({
    name: `parity-${name}`,
    share,
    files: () => ({ 'a.safetensors': bytes }),
    mutate: ({ 'a.safetensors': file }, r) => ({ 'a.safetensors': mutate(file, r) }),
    async read(folder) {
      const file = path.join(folder, 'a.safetensors');
      const comparison = await parity(file, cpu);
      if (exceeded(comparison).length > 0) return undefined;
      return notSound(comparison) ?? otherExpectations(readSafetensors(file), original);
    },
  });
  expect(seen.refused + seen.read).toBeGreaterThan(0);
});

/** Whoever agrees with two different answers agrees with anything. */
function otherExpectations({ tensors }: SafetensorsFile, original: SafetensorsFile): string | undefined {
  for (const [name, { data }] of Object.entries(original.tensors).filter(([name]) => name.startsWith('expected.'))) {
    const now = tensors[name]?.data;
    // Of a parameter that no output depends on, the reference may or may not have a gradient.
    if (now === undefined) continue;
    const was = Array.from<number | bigint, number>(data, Number);
    const scale = Math.max(1e-3, ...was.map(Math.abs));
    const far = was.findIndex((x, i) => !(Math.abs(x - Number(now[i])) <= CLOSE * scale));
    if (far >= 0) return `${name} is ${now[far]} at ${far}, was ${data[far]}, and agrees all the same`;
  }
  return undefined;
}
