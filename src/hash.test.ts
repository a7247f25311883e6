import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256 } from './hash.ts';
import { key, rng } from './random.ts';

test('is SHA-256, for every way that the last block can be filled', () => {
  const r = rng(key(1));
  for (const length of [...Array(200).keys(), 1000, 65_536, 100_001]) {
    const bytes = Uint8Array.from({ length }, () => r.u32());
    expect(sha256(bytes), `${length} bytes`).toBe(createHash('sha256').update(bytes).digest('hex'));
  }
});
