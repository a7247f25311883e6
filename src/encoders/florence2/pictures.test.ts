import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, key, rng } from '../../random.ts';
import type { Picture } from '../../robot/index.ts';
import { drawShift, preprocess, type Shift } from './pictures.ts';
import { resize } from './resize.ts';

const sha256 = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
const noise = (seed: number, width: number, height: number): Picture => {
  const { int } = rng(key(seed));
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => int(256)) };
};
const pixels = (picture: Picture, size: number, shift?: Shift, upsideDown = false) => {
  const out = new Float32Array(3 * size * size);
  preprocess(picture, { size, upsideDown, ...(shift && { shift }) }, out, 0);
  return out;
};

describe('to the bit of the reference', () => {
  const root = path.join(import.meta.dirname, '../../../test/fixtures/florence2');
  /** Noise and edges, so that every weight counts. */
  const frame: Picture = { width: 128, height: 128, data: fs.readFileSync(path.join(root, 'frame-128.rgb')) };
  const SIDE = 112;

  // Hashes of what torchvision (resize of tensors, then CLIP's normalisation) made of the frame.
  test('resized and normalised', () => {
    const resized = resize(frame.data, 128, 128, SIDE);
    expect(sha256(resized)).toBe('913e3ae4e3610a9fe11f75563043c8d1b49f900e80841b9c26ef4d88d316e03a');
    expect(sha256(pixels(frame, SIDE))).toBe('6796da183d31ea8d62b8d22c7342d254056e6d41784a86083dc2b3be777f8a93');
  });

  /** Bytes that normalisation made these numbers of. */
  const bytesOf = (numbers: Float32Array, size: number) => {
    const ramp = { width: size, height: size, data: new Uint8Array(size * size * 3) };
    for (let i = 0; i < 256; i++) ramp.data.fill(i, i * 3, i * 3 + 3);
    const table = pixels(ramp, size);
    const area = size * size;
    const byte = [0, 1, 2].map((c) => new Map(Array.from({ length: 256 }, (_, i) => [table[c * area + i], i])));
    return Uint8Array.from(
      { length: 3 * area },
      (_, i) => byte[i % 3].get(numbers[(i % 3) * area + Math.floor(i / 3)])!,
    );
  };

  test.each([
    [
      'the static camera',
      { pad: 10, dx: 3, dy: 17 },
      '628e60aac32335de8571b28042fa974034475c76e7914cce12fa3e0c5b81059f',
    ],
    ['the wrist', { pad: 4, dx: 8, dy: 0 }, 'd6f2c4655eb39e10b816a8dec200f0c60f3b28014cdbfcf3473ff37ac0910e25'],
  ])('shifted, as %s is', (_, shift, hash) => {
    expect(sha256(bytesOf(pixels(frame, SIDE, shift), SIDE))).toBe(hash);
  });

  // Half the size makes many exact halves. Made by this code when it met two such pictures of the reference to the byte.
  test('halves round to the even byte', () => {
    const { data } = noise(224, 224, 224);
    expect(sha256(resize(data, 224, 224, SIDE))).toBe(
      'e738180213556f49eda52476632dda07298da43959ee9997970dc83c13c3904b',
    );
  });
});

const side = fc.integer({ min: 1, max: 40 });
const seed = fc.integer({ min: 0, max: 1e6 });

test('a plain picture stays plain at any size, within its extremes it stays', () => {
  fc.assert(
    fc.property(side, side, side, seed, (width, height, size, s) => {
      const [red, green, blue] = noise(s, 1, 1).data;
      const plain = Uint8Array.from({ length: width * height * 3 }, (_, i) => [red, green, blue][i % 3]);
      const out = resize(plain, width, height, size);
      expect([...new Set(out.filter((_, i) => i % 3 === 1))]).toEqual([green]);
      const { data } = noise(s, width, height);
      const resized = resize(data, width, height, size);
      expect(Math.min(...resized)).toBeGreaterThanOrEqual(Math.min(...data));
      expect(Math.max(...resized)).toBeLessThanOrEqual(Math.max(...data));
    }),
  );
});

test('columns and rows are resized alike: a picture turned about its diagonal stays so', () => {
  const side = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(side, side, seed, (n, size, s) => {
      const { data } = noise(s, n, n);
      const turned = (bytes: Uint8Array, m: number) =>
        bytes.map((_, i) => {
          const [y, x] = [Math.floor(i / 3 / m), Math.floor(i / 3) % m];
          return bytes[(x * m + y) * 3 + (i % 3)];
        });
      const there = resize(turned(data, n), n, n, size);
      const back = turned(resize(data, n, n, size), size);
      // Sums are made in another order, so an exact half may fall to the other side.
      for (const [i, byte] of there.entries()) expect(Math.abs(byte - back[i])).toBeLessThanOrEqual(1);
    }),
  );
});

test('of its own size a picture is copied, shifted or upside down; what leaves it repeats its border', () => {
  fc.assert(
    fc.property(side, fc.integer({ min: 0, max: 12 }), seed, fc.boolean(), (n, pad, s, upsideDown) => {
      const picture = noise(s, n, n);
      const shift = drawShift(key(s), pad);
      const plain = pixels(picture, n);
      const moved = pixels(picture, n, shift, upsideDown);
      const within = (i: number) => Math.min(Math.max(i, 0), n - 1);
      for (let i = 0; i < moved.length; i++) {
        const [c, y, x] = [Math.floor(i / n / n), Math.floor(i / n) % n, i % n];
        const row = within(y + shift.dy - pad);
        const from = (c * n + (upsideDown ? n - 1 - row : row)) * n + within(x + shift.dx - pad);
        expect(moved[i]).toBe(plain[from]);
      }
    }),
    { numRuns: 30 },
  );
});

test('several pictures go beside one another', () => {
  const [a, b] = [noise(1, 6, 4), noise(2, 9, 9)];
  const out = new Float32Array(2 * 3 * 25).fill(7);
  preprocess(b, { size: 5, upsideDown: false }, out, 75);
  expect(out.subarray(0, 75).every((x) => x === 7)).toBe(true);
  preprocess(a, { size: 5, upsideDown: false }, out, 0);
  expect(out).toEqual(Float32Array.of(...pixels(a, 5), ...pixels(b, 5)));
});

test('shifts are drawn evenly from 0 to twice the padding', () => {
  const drawn = Array.from({ length: 2000 }, (_, i) => drawShift(fold(key(3), i), 4));
  expect(drawn[5]).toEqual(drawShift(fold(key(3), 5), 4));
  for (const axis of ['dx', 'dy'] as const) {
    const counts = Array.from({ length: 9 }, (_, place) => drawn.filter((shift) => shift[axis] === place).length);
    // 222 each, with a standard deviation of 14: five of them.
    for (const count of counts) expect(Math.abs(count - 2000 / 9)).toBeLessThan(70);
    expect(counts.reduce((a, b) => a + b)).toBe(2000);
  }
});
