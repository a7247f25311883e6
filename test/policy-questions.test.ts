/** What a policy is asked: whatever is not a number is named, and not taken for a fault of the weights. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoadedPolicy, loadPolicy } from '../src/policy/index.ts';
import { key } from '../src/random.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

let dir: string;
let policy: LoadedPolicy;
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'questions-'));
  policy = await loadPolicy(await saveRandomPolicy(path.join(dir, 'policy')));
});
afterAll(() => {
  policy[Symbol.dispose]();
  fs.rmSync(dir, { recursive: true });
});

const notNumbers = fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, -1 / 0, 1e300, undefined, 'x');
const spoiled = (values: readonly number[], at: number, value: unknown) => {
  const out: unknown[] = [...values];
  out[at] = value;
  return out as number[];
};

test('an entry of an observation that is not finite is named, by every question', async () => {
  const places = fc.oneof(
    fc.record({ field: fc.constant('state' as const), at: fc.nat(10) }),
    fc.record({ field: fc.constant('entities.poses' as const), at: fc.nat(15) }),
  );
  await fc.assert(
    fc.asyncProperty(places, notNumbers, async ({ field, at }, value) => {
      const { state, entities } = observation;
      const bad =
        field === 'state'
          ? { ...observation, state: spoiled(state, at, value) }
          : { ...observation, entities: { ...entities, poses: spoiled(entities.poses, at, value) } };
      const chunk = new Float32Array(70);
      for (const ask of [
        () => policy.infer(bad, { key: key(0) }),
        () => policy.sample(bad, { key: key(0), count: 2 }),
        () => policy.logProb!(bad, chunk),
        () => policy.surprise!(bad, chunk),
      ])
        await expect(ask()).rejects.toThrow(`${field}[${at}] is ${value}`);
    }),
    { numRuns: 40, seed: 1 },
  );
});

test('chunks, temperatures and numbers of samples that make no sense are named', async () => {
  const chunk = new Float32Array(140);
  chunk[72] = Number.NaN;
  const judged = (actions: Float32Array) => policy.logProb!(observation, actions);
  await expect(judged(chunk)).rejects.toThrow('actions[72] is NaN (number 2 of chunk 1)');
  await expect(judged(chunk.subarray(0, 69))).rejects.toThrow('whole chunks of 70 numbers; got 69');
  const drawn = (options: object) => policy.sample(observation, { key: key(0), ...options });
  await expect(drawn({ temperature: Number.NaN })).rejects.toThrow(
    'temperature must be a number of at least 0; got NaN',
  );
  await expect(drawn({ temperature: -1 })).rejects.toThrow('got -1');
  await expect(drawn({ count: 0 })).rejects.toThrow('count must be an integer from 1; got 0');
  const continuing = new Float32Array(7).fill(Number.NaN);
  await expect(policy.infer(observation, { key: key(0), bestOf: 2, continuing })).rejects.toThrow(
    'continuing[0] is NaN',
  );
});
