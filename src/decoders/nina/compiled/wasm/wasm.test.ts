import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, test } from 'vitest';
import { randomModel } from '../../../../../test/support/nina.ts';
import { key, normals } from '../../../../random.ts';
import { ninaSchema } from '../../config.ts';
import { compileWasm, foldNina } from '../../wasm.ts';
import { ninaModule } from './module.ts';

const config = ninaSchema.parse({ n_layers: 2, affine_dim: 8, cond_dim: 5, chunk_length: 4, action_dim: 3 });
const folded = foldNina(config, randomModel(config, 1));
/** Of two actions and the log-probability of `z`: what this test printed. To be changed with the kernels, on purpose. */
const KNOWN_BITS = [1061948403, 3213084363, 3246037296];
const [z, cond] = [normals(key(2), 12), normals(key(3), 5)];

describe('a module', () => {
  test('answers into the same arrays, in memory that does not grow', async () => {
    using compiled = await compileWasm(folded, { maxBatch: 2 });
    const first = compiled.sample(z, cond, 1);
    const { buffer, byteLength } = { buffer: first.actions.buffer, byteLength: first.actions.buffer.byteLength };
    for (let i = 0; i < 1000; i++) expect(compiled.sample(z, cond, 1)).toBe(first);
    const scored = compiled.logProb(first.actions, cond, 1);
    expect(compiled.logProb(first.actions, cond, 1)).toBe(scored);
    expect(first.actions.buffer).toBe(buffer);
    expect(buffer.byteLength).toBe(byteLength);
  });

  test('has the same bytes whenever it is made', () => {
    const bytes = () => ninaModule(folded, 2, 'float32').bytes;
    expect(bytes()).toEqual(bytes());
  });

  test('the same bits of a known decoder on every machine', async () => {
    using compiled = await compileWasm(folded, { maxBatch: 1 });
    const { actions, logProb } = compiled.sample(z, cond, 1);
    const bits = (numbers: Float32Array) => [...new Uint32Array(numbers.slice(0, 2).buffer)];
    expect([...bits(actions), ...bits(logProb)]).toEqual(KNOWN_BITS);
  });

  test.each(['float32', 'int8'] as const)('%s: NaN in is NaN out, and gone with the next call', async (precision) => {
    using compiled = await compileWasm(folded, { maxBatch: 1, precision });
    const { actions, logProb } = compiled.sample(z, cond, 1);
    const before = [...actions, ...logProb];
    compiled.sample(
      z.map(() => Number.NaN),
      cond,
      1,
    );
    expect([...actions, ...logProb].every(Number.isNaN)).toBe(true);
    compiled.sample(z, cond, 1);
    expect([...actions, ...logProb]).toEqual(before);
  });
});

test('what a browser imports leads to nothing of Node', () => {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = fs.readFileSync(file, 'utf8');
    for (const [, kind, from] of source.matchAll(/^(?:import|export) (type )?[^;]*?from '([^']+)';/gms)) {
      if (kind) continue;
      if (from.startsWith('.')) visit(path.resolve(path.dirname(file), from));
      else outside.add(from);
    }
  };
  visit(path.join(import.meta.dirname, '../../wasm.ts'));
  expect(seen.size).toBeGreaterThan(15);
  expect([...outside]).toEqual(['zod']);
});
