/**
 * HDF5 as other programs write it: every number is read exactly or refused by name; what is not in the file is told, not
 * read as zeros. The files are made by test/fixtures/hdf5/make.py.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { find, namesIn, type Place } from '../../src/data/hdf5/links.ts';
import { openNumbers, readNumbers } from '../../src/data/hdf5/numbers.ts';
import { readHdf5 } from '../../src/data/hdf5/open-files.ts';
import { half } from '../../src/data/hdf5/types.ts';
import { NinaError } from '../../src/errors.ts';
import { message } from './message.ts';
import { workshop } from './opened.ts';

const { at } = workshop('hurt');
const folder = path.join(import.meta.dirname, '..', 'fixtures', 'hdf5');
const home = process.cwd();
// HDF5 looks for external files in the working folder.
beforeAll(() => process.chdir(folder));
afterAll(() => process.chdir(home));

/** Names in a group of a fixture. */
const names = (file: string, group: string) => readHdf5(file, (root) => [...namesIn(find(root, group)!)]);

/** A dataset of any shape. */
function anyNumbers(root: Place, name: string) {
  const place = find(root, name)!;
  const rank = place.file.library.module.get_dataset_metadata(place.file.root.file_id, place.path).shape?.length ?? 0;
  return openNumbers(root, name, Array(rank).fill(null));
}
const numbers = (root: Place, name: string): number[] => [...readNumbers(anyNumbers(root, name))];
const read = (file: string, name: string) => readHdf5(file, (root) => numbers(root, name));

const LAYOUTS = ['layouts', 'layouts-latest', 'layouts-110', 'virtual', 'virtual-latest', 'external'];

test.each(['types', ...LAYOUTS])('what is whole is read exactly: %s.hdf5', async (stem) => {
  const file = `${stem}.hdf5`;
  const all = await names(file, 'exact');
  expect(all.length).toBeGreaterThan(2);
  for (const name of all) {
    const found = await read(file, `exact/${name}`);
    expect(found, name).toEqual(found.map((_, i) => (name === 'bool' ? i % 2 : i % 100)));
    expect(found.length, name).toBeGreaterThan(27);
  }
});

test.each(['types', ...LAYOUTS])('some rows are those of the whole: %s.hdf5', async (stem) => {
  await readHdf5(`${stem}.hdf5`, (root) => {
    for (const name of namesIn(find(root, 'exact')!)) {
      const set = anyNumbers(root, `exact/${name}`);
      const all = readNumbers(set);
      const [rows] = set.shape;
      const perRow = all.length / rows;
      for (const [from, to] of [
        [0, 1],
        [rows - 1, rows],
        [0, rows],
        [Math.floor(rows / 3), Math.ceil(rows / 2)],
      ] as const)
        expect(readNumbers(set, [from, to]), `${name} ${from}`).toEqual(all.slice(from * perRow, to * perRow));
    }
  });
});

test.each(LAYOUTS)('what has a hole is refused by name: %s.hdf5', async (stem) => {
  const file = `${stem}.hdf5`;
  const all = await names(file, 'holes');
  expect(all.length).toBeGreaterThan(1);
  for (const name of all)
    expect(await message(() => read(file, `holes/${name}`)), name).toMatch(
      new RegExp(
        `^${file}: /holes/${name},? .*(never written|has only|not there|no such dataset|do not fill|bytes|without sources)`,
      ),
    );
});

test('holes say what is missing', async () => {
  const told = (file: string, name: string) => message(() => read(file, name));
  expect(await told('layouts.hdf5', 'holes/contiguous')).toContain('was never written');
  for (const file of ['layouts.hdf5', 'layouts-latest.hdf5', 'layouts-110.hdf5'])
    expect(await told(file, 'holes/chunks')).toContain('of rows 4 to 7 something was never written');
  expect(await told('virtual.hdf5', 'holes/no-file')).toContain(
    'assembled from numbers of gone.h5, which is not there',
  );
  expect(await told('virtual.hdf5', 'holes/half')).toContain('do not fill row 3');
  expect(await told('virtual.hdf5', 'holes/short')).toContain('takes [6, 7] numbers of a source that has only [4, 7]');
  expect(await told('external.hdf5', 'holes/missing')).toContain('in the file gone.bin, which is not there');
  expect(await told('external.hdf5', 'holes/short')).toContain('of which 328 of 336 bytes are there');
});

test.each([
  ['blosc', 'blosc (filter 32001)'],
  ['blosc2', 'blosc2 (filter 32026)'],
  ['bitshuffle', 'bitshuffle (filter 32008)'],
  ['lz4', 'lz4 (filter 32004)'],
  ['zstd', 'zstd (filter 32015)'],
  ['bzip2', 'bzip2 (filter 307)'],
  ['zfp', 'zfp (filter 32013)'],
])('a filter that is missing is named: %s', async (name, told) => {
  const text = await message(() => read('filters.hdf5', name));
  expect(text).toContain(`filters.hdf5: /${name} is compressed with ${told}, which cannot be undone here`);
  expect(text).toContain('h5repack -f GZIP=4 filters.hdf5 OUT.hdf5');
});

test('a filter that is missing is told behind a virtual dataset, too', async () => {
  expect(await message(() => read('virtual.hdf5', 'filtered'))).toContain(
    'virtual.hdf5: /filtered has a source that is compressed with a filter which cannot be undone here',
  );
});

test('a virtual dataset that takes a whole source of another size, or itself', async () => {
  expect(await message(() => read('virtual-whole.hdf5', 'larger'))).toContain(
    'takes 630 numbers of a source that has [',
  );
  const circle = await message(() => read('virtual-whole.hdf5', 'circle'));
  expect(circle).toContain('leads on to more than');
  expect(circle.length).toBeLessThan(400);
});

test('chunks that lzf does not shrink', async () => {
  for (const file of ['layouts.hdf5', 'layouts-latest.hdf5', 'layouts-110.hdf5'])
    expect(await read(file, 'noise/lzf')).toEqual(await read(file, 'noise/plain'));
});

test('numbers that are special', async () => {
  expect(await read('types.hdf5', 'special/half')).toEqual([
    ...[0, -0, 1, -2.5, 65504, 2 ** -14, 2 ** -24],
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  ]);
  expect(await read('types.hdf5', 'special/int64')).toEqual([-(2 ** 60), 2 ** 53]);
  expect(await read('types.hdf5', 'special/empty')).toEqual([]);
});

test('every half-precision number is finite where its exponent says so, and grows with its bits', () => {
  for (let bits = 1; bits < 0x7c00; bits++) {
    expect(half(bits)).toBeGreaterThan(half(bits - 1));
    expect(half(bits | 0x8000)).toBe(-half(bits));
    // Eleven significant bits: exact in float32.
    expect(Math.fround(half(bits))).toBe(half(bits));
  }
});

test.each([
  ['float128', '80-bit floats (15 bits of exponent, 64 of mantissa) in 16 bytes'],
  ['bfloat16', '16-bit floats (8 bits of exponent, 7 of mantissa) in 2 bytes'],
  ['complex', 'co'],
  ['compound', 'compounds'],
  ['strings', 'strings'],
  ['text', 'lists of varying length'],
  ['enum', 'enumeration values'],
  ['int12', '12-bit integers in 2 bytes'],
  ['inexact', '9007199254740993, which is beyond what float64 holds exactly'],
  ['null', 'has a type and no numbers'],
])('%s is refused by name', async (name, told) => {
  const text = await message(() => read('types.hdf5', `refused/${name}`));
  expect(text).toContain(`types.hdf5: /refused/${name} `);
  expect(text).toContain(told);
});

test('links are followed, within the file and to others', async () => {
  await readHdf5('links.hdf5', (root) => {
    const wanted = Array.from({ length: 28 }, (_, i) => i);
    for (const name of [
      'soft',
      'group/numbers',
      'group/relative',
      'twice',
      'hard',
      'real/loop/loop/numbers',
      'outside-group/numbers',
    ])
      expect(numbers(root, name), name).toEqual(wanted);
    expect(numbers(root, 'outside')).toHaveLength(42);
    expect(find(root, 'gone')).toBe(undefined);
    // Missing behind a link whose target is there is missing, and no broken link.
    expect(find(root, 'group/gone')).toBe(undefined);
    expect(find(root, 'outside-group/gone')).toBe(undefined);
  });
});

test.each([
  ['soft', "is a link to '/gone', which is not there"],
  ['file', "is a link to '/numbers' in gone.h5, which is not there"],
  ['inside', "is a link to '/gone' in source.hdf5, which is not there"],
  ['self', 'is a link that leads back to itself'],
  ['ping', 'is a link that leads back to itself'],
])('a link that leads nowhere is told: %s', async (name, told) => {
  expect(await message(() => read('links.hdf5', `broken/${name}`))).toContain(`links.hdf5: /broken/${name} ${told}`);
});

test('a file that its writer left open is called that, not damaged', async () => {
  const told = await message(() => read('open.hdf5', 'numbers'));
  expect(told).toMatch(/still open for writing in another program, or its writer was killed.*h5clear/);
  expect(told).not.toContain('damaged');
});

test('a file with overwritten bytes is read or refused, and never walked without end', async () => {
  let n = 0;
  fs.copyFileSync(path.join(folder, 'source.hdf5'), at('source.hdf5'));
  const stems = ['layouts', 'layouts-latest', 'layouts-110', 'virtual', 'types'];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...stems),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.uint8Array({ minLength: 1, maxLength: 32 }),
      async (stem, where, junk) => {
        const bytes = fs.readFileSync(`${stem}.hdf5`);
        bytes.set(junk, Math.floor(where * (bytes.length - junk.length)));
        // HDF5 may keep a file open that it failed to read, so each has a name of its own.
        const hurt = at(`${n++}.hdf5`);
        fs.writeFileSync(hurt, bytes);
        try {
          for (const name of await names(hurt, 'exact')) await read(hurt, `exact/${name}`);
        } catch (error) {
          expect(error).toBeInstanceOf(NinaError);
        }
      },
    ),
    { numRuns: 150, seed: 3 },
  );
});
