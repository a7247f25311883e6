/** Damage that parsers let pass: each of these was read as if nothing were wrong, or ended in a stack. */

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parity } from '../src/decoders/nina/parity.ts';
import { cpu } from '../src/engine/index.ts';
import { NinaError } from '../src/errors.ts';
import { readCheckpoint } from '../src/policy/index.ts';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import type { StoredTensor } from '../src/safetensors-format.ts';
import { parseBddl } from '../src/sim/bddl/index.ts';
import { buildScene } from '../src/sim/scene.ts';
import { loadSuite } from '../src/sim/suites.ts';
import { readMetrics } from '../src/train/metrics.ts';
import { saveRandomPolicy } from './support/policy.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-damage-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (...names: string[]) => path.join(folder, ...names);

describe('a checkpoint whose hashes fit', () => {
  beforeAll(() => saveRandomPolicy(at('whole'), {}, { scale: 0.2 }));

  /** The checkpoint with a file changed, as if it had been saved so. */
  function changed(name: string, change: (file: string) => void): string {
    const copy = at('changed');
    fs.rmSync(copy, { recursive: true, force: true });
    fs.cpSync(at('whole'), copy, { recursive: true });
    change(path.join(copy, name));
    const manifest = JSON.parse(fs.readFileSync(path.join(copy, 'manifest.json'), 'utf8'));
    if (name !== 'manifest.json')
      manifest.files[name] = createHash('sha256')
        .update(fs.readFileSync(path.join(copy, name)))
        .digest('hex');
    fs.writeFileSync(path.join(copy, 'manifest.json'), JSON.stringify(manifest));
    return copy;
  }
  // biome-ignore lint/suspicious/noExplicitAny: what the file holds is changed whatever it is
  const json = (name: string, edit: (value: any) => void) =>
    changed(name, (file) => {
      const value = JSON.parse(fs.readFileSync(file, 'utf8'));
      edit(value);
      fs.writeFileSync(file, JSON.stringify(value));
    });
  const tensors = (edit: (tensors: Record<string, StoredTensor>) => void) =>
    changed('model.safetensors', (file) => {
      const stored = readSafetensors(file);
      edit(stored.tensors);
      writeSafetensors(file, stored.tensors, stored.metadata);
    });

  test.each<[string, () => string, RegExp]>([
    [
      'a width beyond memory',
      () => json('config.json', (c) => Object.assign(c.decoder, { affine_dim: 1e8 })),
      /26 of another shape:\n {4}decoder\.flow\.mlp\.cond\.weight wants float32 \[6,100000000,12\], got float32 \[6,8,12\]/,
    ],
    [
      'layers beyond memory',
      () => json('config.json', (c) => Object.assign(c.decoder, { n_layers: 2 ** 40 })),
      /decoder\.n_layers: Too big: expected number to be <=256/,
    ],
    [
      'a chunk of another length than the self-test',
      () => json('config.json', (c) => Object.assign(c.decoder, { chunk_length: 1e9 })),
      /self_test\.z has 70 numbers, a chunk of config\.json has 1000000000 x 7/,
    ],
    ['a word twice', () => json('config.json', (c) => c.encoder.words.push(c.encoder.words[0])), /every word once/],
    [
      'statistics of another length',
      () => json('stats.json', (s) => s.encoder.state.std.pop()),
      /encoder\.state\.std: .*expected array to have/,
    ],
    [
      'a negative spread',
      () => json('stats.json', (s) => s.encoder.joint.std.fill(-1)),
      /encoder\.joint\.std\.0: Too small/,
    ],
    [
      'a file outside',
      () => json('manifest.json', (m) => Object.assign(m.files, { '../../x': '0'.repeat(64) })),
      /files: .*\.\.\/\.\.\/x/,
    ],
    [
      'a tensor called like a method',
      () => tensors((all) => Object.assign(all, { toString: { shape: [1], data: Float32Array.of(1) } })),
      /1 unexpected:\n {4}toString/,
    ],
    [
      'a permutation that is none',
      () => tensors((all) => (all['buffers.permutation.0'].data as BigInt64Array).fill(0n)),
      /"buffers\.permutation\.0" is no permutation/,
    ],
    [
      'a weight that is infinite',
      () => tensors((all) => (all['encoder.words'].data as Float32Array).fill(Number.POSITIVE_INFINITY, 1, 2)),
      /"encoder\.words" is not finite: it holds Infinity at 1/,
    ],
  ])('%s', (_, make, message) => {
    const directory = make();
    expect(() => readCheckpoint(directory)).toThrow(NinaError);
    expect(() => readCheckpoint(directory)).toThrow(message);
  });
});

test('two tensors of one name are not one', () => {
  const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
  const header = Buffer.from(`{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"w":${entry}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  fs.writeFileSync(at('twice.safetensors'), Buffer.concat([length, header, Buffer.alloc(4)]));
  expect(() => readSafetensors(at('twice.safetensors'))).toThrow(/the key "w" comes twice/);
});

describe('a parity fixture', () => {
  const fixture = (edit: (file: ReturnType<typeof readSafetensors>) => void) => {
    const file = readSafetensors(path.join(import.meta.dirname, 'fixtures/nina-mlp-plu-small.safetensors'));
    edit(file);
    writeSafetensors(at('fixture.safetensors'), file.tensors, file.metadata);
    return parity(at('fixture.safetensors'), cpu);
  };

  test('does not agree with what is not a number, nor with a reference that does not agree with itself', async () => {
    const first = (name: string, value: number) =>
      fixture(({ tensors }) => (tensors[name].data as Float32Array).fill(value, 0, 1));
    await expect(first('expected.z', Number.NaN)).rejects.toThrow(/expected\.z is NaN at 0/);
    await expect(first('x', Number.POSITIVE_INFINITY)).rejects.toThrow(/x is Infinity at 0/);
    await expect(fixture(({ metadata }) => Object.assign(metadata, { roundtrip_max_abs: '1e9' }))).rejects.toThrow(
      /roundtrip_max_abs/,
    );
  });

  test('of a decoder beyond memory is refused before it is built', async () => {
    await expect(fixture(({ metadata }) => Object.assign(metadata, { n_layers: '1000000000' }))).rejects.toThrow(
      'n_layers',
    );
  });
});

describe('a task file', () => {
  const [task] = loadSuite('tabletop-object');
  const edited = (from: string | RegExp, to: string) => () => buildScene(parseBddl(task.bddl.replace(from, to)));

  test.each<[string, () => void, RegExp]>([
    ['a range beyond numbers', edited(/\(:ranges \(\(\S+/, '(:ranges ((1e400'), /'1e400' is Infinity; wanted a finite/],
    ['a range beyond any table', edited(/\(:ranges \(\(\S+/, '(:ranges ((1e9'), /1000000000 of region .* at most 100/],
    ['an attribute twice', edited('(:target', '(:target table) (:target'), /':target' of region .* a second time/],
    ['a category that is a method', edited(/(\(:objects[^)]*? - )(\w+)/, '$1constructor'), /category 'constructor'/],
    ['a name that is XML', edited(/(\(:objects\s+)(\S+)/, '$1a"/><geom'), /'a"\/><geom' is no name/],
    ['a novel', () => parseBddl(`(${' '.repeat(2 ** 21)})`), /characters, which no task has/],
  ])('%s', (_, read, message) => {
    expect(read).toThrow(NinaError);
    expect(read).toThrow(message);
  });
});

test('a line of metrics for the second time is told', () => {
  const line = '{"step":2,"loss":1,"grad_norm":1,"lr":1,"steps_per_s":1}\n';
  fs.writeFileSync(at('metrics.jsonl'), line + line);
  expect(() => readMetrics(folder)).toThrow(/metrics\.jsonl, line 2 is of step 2, and the line before it of step 2/);
});
