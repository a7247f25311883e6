import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSafetensors, readSafetensors, writeSafetensors } from './safetensors.ts';

let dir: string;
const at = (name: string) => path.join(dir, name);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'safetensors-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

/** A file from a header object and raw data, to make what the writer refuses to write. */
function raw(name: string, header: unknown, data: Uint8Array): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  fs.writeFileSync(at(name), Buffer.concat([size, json, data]));
  return at(name);
}

function text(name: string, content: string): string {
  fs.writeFileSync(at(name), content);
  return at(name);
}

describe('round trip', () => {
  test('any float32 bits and int64 values come back, in any shape', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((s) => s !== '__metadata__'),
          fc.oneof(fc.float32Array({ maxLength: 9 }), fc.bigInt64Array({ maxLength: 5 })),
        ),
        fc.dictionary(fc.string(), fc.string()),
        (arrays, metadata) => {
          const tensors = Object.fromEntries(
            Object.entries(arrays).map(([k, data]) => [k, { shape: [1, data.length], data }]),
          );
          writeSafetensors(at('any'), tensors, metadata);
          const back = readSafetensors(at('any'));
          expect(back.tensors).toEqual(tensors);
          expect(back.metadata).toEqual({ ...metadata });
        },
      ),
      { examples: [[{}, Object.fromEntries([['__proto__', 'a name like any other']])]] },
    );
  });

  test('the same arguments give the same bytes, and views are written as views', () => {
    const flat = Float32Array.from({ length: 10 }, (_, i) => i);
    const tensors = {
      a: { shape: [2, 2], data: flat.subarray(3, 7) },
      ids: { shape: [], data: BigInt64Array.of(-5n) },
    };
    writeSafetensors(at('one'), tensors, { z: '1', a: '2' });
    writeSafetensors(at('two'), tensors, { z: '1', a: '2' });
    expect(fs.readFileSync(at('one'))).toEqual(fs.readFileSync(at('two')));
    const back = readSafetensors(at('one'));
    expect([...back.tensors.a.data]).toEqual([3, 4, 5, 6]);
    expect(Object.keys(back.tensors)).toEqual(['ids', 'a']);
  });
});

describe('narrow types widen exactly', () => {
  test('every F16 value equals sign * 2^e * (1 + f / 1024)', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = { h: { dtype: 'F16', shape: [65536], data_offsets: [0, 131072] } };
    const { data } = readSafetensors(raw('f16', header, new Uint8Array(all.buffer))).tensors.h;
    const expected = Float32Array.from(all, (bits) => {
      const sign = bits & 0x8000 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const fraction = (bits & 1023) / 1024;
      if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
      return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
    });
    expect(data).toEqual(expected);
  });

  test('BF16 is the upper half of a float32', () => {
    const bits = Uint16Array.of(0x3f80, 0xc040, 0x0000, 0x7f80, 0x0001);
    const header = { h: { dtype: 'BF16', shape: [5], data_offsets: [0, 10] } };
    const { data } = readSafetensors(raw('bf16', header, new Uint8Array(bits.buffer))).tensors.h;
    expect([...data]).toEqual([1, -3, 0, Infinity, 2 ** -133]);
  });
});

test('F64 is narrowed to float32', () => {
  const header = { d: { dtype: 'F64', shape: [2], data_offsets: [0, 16] } };
  const { data } = readSafetensors(raw('f64', header, new Uint8Array(Float64Array.of(0.1, -3).buffer))).tensors.d;
  expect([...data]).toEqual([Math.fround(0.1), -3]);
});

describe('narrow types are written', () => {
  const half = (dtype: 'F16' | 'BF16', numbers: readonly number[]) => {
    const data = Float32Array.from(numbers);
    writeSafetensors(at('half'), { h: { shape: [data.length], data, dtype } });
    return [...readSafetensors(at('half')).tensors.h.data];
  };

  test.each(['F16', 'BF16'] as const)('every %s value comes back with its bits', (dtype) => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const header = { h: { dtype, shape: [65536], data_offsets: [0, 131072] } };
    const file = raw('all', header, new Uint8Array(bits.buffer));
    writeSafetensors(at('again'), { h: { ...readSafetensors(file).tensors.h, dtype } });
    const written = fs.readFileSync(at('again'));
    // A NaN may become a quiet one on its way through a float32.
    const nan = (b: number) => (dtype === 'F16' ? (b & 0x7fff) > 0x7c00 : (b & 0x7fff) > 0x7f80);
    const back = new Uint16Array(written.buffer.slice(written.byteOffset + written.length - 131072));
    expect([...back].filter((b, i) => b !== i && !(nan(b) && nan(i)))).toEqual([]);
  });

  test('rounding is to the nearest, ties to even', () => {
    // The step of F16 at 1 is 2^-10, of its smallest numbers 2^-24; of BF16 at 1 it is 2^-7.
    expect(half('F16', [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, 2049])).toEqual([
      1,
      1 + 2 ** -9,
      1 + 2 ** -10,
      2048,
    ]);
    expect(half('F16', [2 ** -25, 2 ** -25 + 2 ** -35, 3 * 2 ** -25, 2 ** -30, -0])).toEqual([
      0,
      2 ** -24,
      2 ** -23,
      0,
      -0,
    ]);
    expect(half('BF16', [1 + 2 ** -8, 1 + 3 * 2 ** -8, -1 - 2 ** -8 - 2 ** -20])).toEqual([
      1,
      1 + 2 ** -6,
      -1 - 2 ** -7,
    ]);
  });

  test('the nearest of all F16 values is the one that is written', () => {
    const range = 65504;
    fc.assert(
      fc.property(fc.float({ min: -range, max: range, noNaN: true }), (x) => {
        const [y] = half('F16', [x]);
        const step = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(Math.abs(x) || 1)) - 10));
        expect(Math.abs(Number(y) - x)).toBeLessThanOrEqual(step / 2);
      }),
    );
  });

  test('a number beyond F16 is named, infinity stays', () => {
    expect(() => half('F16', [1, 65520])).toThrow(/"h" holds 65520 at 1, which is beyond what F16 holds/);
    expect(half('F16', [65519, Infinity])).toEqual([65504, Infinity]);
  });
});

test('what is opened is read tensor by tensor', () => {
  writeSafetensors(at('lazy'), {
    a: { shape: [1], data: Float32Array.of(7), dtype: 'F16' },
    b: { shape: [1], data: Float32Array.of(8) },
  });
  using index = openSafetensors(at('lazy'));
  expect([...index.tensors].map(([name, { dtype }]) => [name, dtype])).toEqual([
    ['b', 'F32'],
    ['a', 'F16'],
  ]);
  expect([...(index.tensors.get('a')?.read() ?? [])]).toEqual([7]);
});

test('tensors beyond the first 2 GiB are read by position', () => {
  const hole = 2 ** 31 + 4096;
  const header = {
    big: { dtype: 'BF16', shape: [0], data_offsets: [0, 0] },
    pad: { dtype: 'I64', shape: [hole / 8], data_offsets: [0, hole] },
    far: { dtype: 'F32', shape: [2], data_offsets: [hole, hole + 8] },
  };
  const file = raw('sparse', header, new Uint8Array(0));
  const dataStart = fs.statSync(file).size;
  fs.truncateSync(file, dataStart + hole + 8); // sparse: takes no disk
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, new Uint8Array(Float32Array.of(1.5, -2).buffer), 0, 8, dataStart + hole);
  fs.closeSync(fd);
  const { tensors } = readSafetensors(file, (name) => name !== 'pad');
  expect(Object.keys(tensors)).toEqual(['big', 'far']);
  expect([...tensors.far.data]).toEqual([1.5, -2]);
  fs.rmSync(file);
});

describe('bad files are named in a sentence', () => {
  const f32 = (shape: unknown, offsets: unknown) => ({ w: { dtype: 'F32', shape, data_offsets: offsets } });
  const cases: [string, () => string, RegExp][] = [
    ['missing', () => at('none'), /none: no such file/],
    ['empty', () => text('e', ''), /0 bytes, fewer than the 8/],
    ['other', () => text('o', 'hello, world, this is text'), /header claims \d+ bytes/],
    ['not JSON', () => raw('nj', '{"w":', new Uint8Array(0)), /header is not JSON/],
    ['array', () => raw('arr', '[]', new Uint8Array(0)), /not a JSON object/],
    [
      'dtype',
      () => raw('dt', { w: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, new Uint8Array(1)),
      /F8_E4M3.*knows F64, F32, F16, BF16, I64/,
    ],
    ['shape', () => raw('s', f32([1.5], [0, 4]), new Uint8Array(4)), /"w" has the shape \[1.5\]/],
    ['offsets', () => raw('of', f32([2], [0, 4]), new Uint8Array(4)), /needs 8 bytes, but its data_offsets span 4/],
    [
      'truncated',
      () => raw('t', f32([2], [0, 8]), new Uint8Array(6)),
      /"w" ends at byte 8 of the data, but there are 6/,
    ],
    ['hole', () => raw('h', f32([1], [4, 8]), new Uint8Array(8)), /begins at byte 4 of the data, expected 0/],
    ['tail', () => raw('tail', f32([1], [0, 4]), new Uint8Array(9)), /cover 4 bytes of data, but there are 9/],
  ];
  test.each(cases)('%s', (_, make, message) => {
    expect(() => readSafetensors(make())).toThrow(message);
  });

  test('a file cut at any byte is refused', () => {
    writeSafetensors(at('whole'), { w: { shape: [3], data: Float32Array.of(1, 2, 3) } }, { k: 'v' });
    const bytes = fs.readFileSync(at('whole'));
    for (let length = 0; length < bytes.length; length++) {
      fs.writeFileSync(at('cut'), bytes.subarray(0, length));
      expect(() => readSafetensors(at('cut'))).toThrow(/not a (whole )?safetensors file/);
    }
  });

  test('a tensor that is not its shape is not written, and the old file stays', () => {
    writeSafetensors(at('keep'), { w: { shape: [1], data: Float32Array.of(7) } });
    expect(() => writeSafetensors(at('keep'), { w: { shape: [2], data: Float32Array.of(7) } })).toThrow(
      /"w" has shape \[2\], 2 numbers, but holds 1/,
    );
    expect([...readSafetensors(at('keep')).tensors.w.data]).toEqual([7]);
  });
});
