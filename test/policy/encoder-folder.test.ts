/** An encoder's folder: what is written is read again, and what is damaged or of another encoder is told. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpu } from '../../src/engine/index.ts';
import { NinaError } from '../../src/errors.ts';
import {
  isEncoderFolder,
  readCheckpoint,
  readEncoderConfig,
  readEncoderFolder,
  recordEncoderSelfTest,
  requireEncoderSelfTest,
  writeEncoderFolder,
} from '../../src/policy/index.ts';
import { leaves, type NDArray } from '../../src/tensor/index.ts';
import { moved, observation, smallFlorence2, writeSmallFlorence2 } from '../support/florence2.ts';

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'encoder-folder-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const parts = smallFlorence2(1);
const ORIGIN = { package_version: '0', origin: { made: 'by a test' } };

function refusal(directory: string): string {
  try {
    readEncoderFolder(directory);
  } catch (error) {
    expect(error).toBeInstanceOf(NinaError);
    return (error as NinaError).message.replaceAll(dir, '');
  }
  throw new Error(`${directory} was read`);
}

test('weights, configuration and files come back, and answer as when they were written', async () => {
  const folder = readEncoderFolder(await writeSmallFlorence2(at('whole'), parts));
  expect(isEncoderFolder(at('whole'))).toBe(true);
  expect(isEncoderFolder(dir)).toBe(false);
  expect(() => readCheckpoint(at('whole'))).toThrow(
    `${at('whole')} is an encoder without a policy: train one with it (nina train --init ${at('whole')}).`,
  );
  expect(readEncoderConfig(at('whole'))).toEqual(parts.config);
  expect(folder).toMatchObject({ config: parts.config, assets: parts.assets, directory: at('whole') });
  expect(folder.params).toEqual(parts.params);
  expect(folder.manifest.self_test.tokens).toHaveLength(12);
  await requireEncoderSelfTest(folder, cpu);
});

test('half the bytes hold rounded weights', async () => {
  const folder = readEncoderFolder(await writeSmallFlorence2(at('half'), parts, 'F16'));
  const size = (name: string) => fs.statSync(at(name, 'model.safetensors')).size;
  await writeSmallFlorence2(at('full'), parts);
  expect(size('half')).toBeLessThan(0.7 * size('full'));
  // Half of the last of 11 bits; below 2^-14 the bits are of fixed size.
  for (const [[name, { data }], [, before]] of leaves<NDArray>(folder.params).map(
    (leaf, i) => [leaf, leaves<NDArray>(parts.params)[i]] as const,
  ))
    data.forEach((x, i) => {
      expect(Math.abs(x - before.data[i]), name).toBeLessThanOrEqual(2 ** -11 * Math.abs(before.data[i]) + 2 ** -25);
    });
});

test('weights that answer otherwise fail the self-test', async () => {
  const self_test = await recordEncoderSelfTest(parts, observation, cpu);
  writeEncoderFolder(at('other'), moved(parts), { ...ORIGIN, self_test });
  await expect(requireEncoderSelfTest(readEncoderFolder(at('other')), cpu)).rejects.toThrow(
    /other failed its self-test: on the stored input its mean token differs by \d/,
  );
});

test('what is damaged or missing is named', async () => {
  await writeSmallFlorence2(at('damaged'), parts);
  fs.appendFileSync(at('damaged', 'tokenizer.json'), ' ');
  expect(refusal(at('damaged'))).toMatch(
    /^\/damaged\/tokenizer.json is not the file the encoder's folder was saved with/,
  );
  fs.rmSync(at('damaged', 'tokenizer.json'));
  expect(refusal(at('damaged'))).toBe("/damaged has no tokenizer.json: the encoder's folder is incomplete.");
  const { params, config } = parts;
  writeEncoderFolder(
    at('wordless'),
    { params, config, assets: {} },
    { ...ORIGIN, self_test: { observation: { instruction: '' }, tokens: [] } },
  );
  expect(refusal(at('wordless'))).toBe('/wordless has no tokenizer.json, which its florence2 encoder needs.');
});

test('an encoder that is normalised by demonstrations belongs into a policy', async () => {
  await expect(recordEncoderSelfTest(smallFlorence2(1, { proprio: true }), observation, cpu)).rejects.toThrow(
    /normalises what it sees by statistics of demonstrations.*Save it as a part of a policy\.$/,
  );
});
