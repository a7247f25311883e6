/** Acting step by step, with a real small policy. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, createSession, type Decision, type LoadedPolicy, loadPolicy } from '../../src/policy/index.ts';
import { fold, type Key, key, normals } from '../../src/random.ts';
import type { Observation } from '../../src/robot/index.ts';
import { observation, saveRandomPolicy } from '../support/policy.ts';

const T = 10;
let dir: string;
let policy: LoadedPolicy;
let actor: Actor;
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'session-'));
  policy = await loadPolicy(await saveRandomPolicy(path.join(dir, 'nina'), {}, { scale: 0.5 }));
  actor = policy;
});
afterAll(() => {
  policy[Symbol.dispose]();
  fs.rmSync(dir, { recursive: true });
});

/** What is seen at a step: each looks a little different. */
function seen(step: number): Observation {
  const noise = normals(fold(key(9), step), observation.state.length);
  return { ...observation, state: noise.map((x, i) => observation.state[i] + 0.01 * x) };
}

type Act = { action: Float32Array; decision?: Decision };
async function steps(session: ReturnType<typeof createSession>, count: number): Promise<Act[]> {
  const acts: Act[] = [];
  for (let step = 0; step < count; step++) acts.push(await session.act(seen(step)));
  return acts;
}
/** All but what measures the machine. */
const timeless = (acts: readonly Act[]) =>
  acts.map(({ action, decision }) => ({ action: [...action], ...(decision && { ...decision, latencyMs: 0 }) }));

const episodes = fc.record({
  key: fc.nat().map(key),
  multistep: fc.integer({ min: 1, max: T }),
  temperature: fc.constantFrom(0.3, 1),
  bestOf: fc.constantFrom(1, 3),
  consistent: fc.boolean(),
});
const RUNS = { numRuns: 15 };

test('the policy is asked every multistep steps, with noise of its own, and its chunk is executed in order', async () => {
  await fc.assert(
    fc.asyncProperty(episodes, async ({ consistent: _, ...options }) => {
      const { key: k, multistep, temperature, bestOf } = options;
      const acts = await steps(createSession(actor, options), 2 * T);
      for (const [step, { action, decision }] of acts.entries()) {
        expect(decision !== undefined).toBe(step % multistep === 0);
        const asked = step - (step % multistep);
        const { actions } = await actor.infer(seen(asked), { key: fold(k, asked), temperature, bestOf });
        expect([...action]).toEqual([...actions.subarray(7 * (step - asked), 7 * (step - asked + 1))]);
        if (decision) expect([...decision.chunk]).toEqual([...actions]);
      }
    }),
    RUNS,
  );
});

test('unless told otherwise a session acts as the policy says: with its own multistep and temperature', async () => {
  const session = createSession(actor, { key: key(1) });
  expect(session.multistep).toBe(policy.multistep);
  const [{ decision }] = await steps(session, 1);
  const { actions } = await actor.infer(seen(0), { key: fold(key(1), 0) });
  expect([...decision!.chunk]).toEqual([...actions]);
});

test('equal keys give equal episodes, also after a reset; other keys do not', async () => {
  await fc.assert(
    fc.asyncProperty(episodes, fc.integer({ min: 1, max: 2 * T }), async (options, before) => {
      fc.pre(!(options.consistent && options.multistep === T));
      const fresh = timeless(await steps(createSession(actor, options), 2 * T));
      const used = createSession(actor, { ...options, key: fold(options.key, 'other') });
      const others = timeless(await steps(used, before));
      used.reset(options.key);
      expect(used.deciding).toBe(true);
      expect(timeless(await steps(used, 2 * T))).toEqual(fresh);
      // Not the actions: a random policy's may all lie on their bounds.
      expect(others[0].logProb).not.toEqual(fresh[0].logProb);
    }),
    RUNS,
  );
});

describe('surprise', () => {
  test('is null until half a chunk was executed, then a number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: T }), async (multistep) => {
        const acts = await steps(createSession(actor, { key: key(2), multistep, temperature: 0 }), 2 * T);
        for (const [step, { decision }] of acts.entries())
          if (decision && step < T / 2) expect(decision.surprise).toBeNull();
          else if (decision) expect(decision.surprise).toEqual(expect.any(Number));
      }),
      RUNS,
    );
  });

  test('is of the chunk that was done and is planned, given what was seen half a chunk ago', async () => {
    const acts = await steps(createSession(actor, { key: key(2), multistep: 3, temperature: 1 }), T);
    const done = acts.slice(4, 9).flatMap(({ action }) => [...action]);
    const planned = [...acts[9].decision!.chunk.subarray(0, 35)];
    const wanted = await actor.surprise!(seen(4), Float32Array.from([...done, ...planned]));
    expect(acts[9].decision!.surprise).toBe(wanted);
  });

  test('is not of an actor that cannot tell', async () => {
    const { surprise: _, ...blind } = actor;
    const acts = await steps(createSession(blind, { key: key(2), multistep: 2 }), T);
    expect(acts.every(({ decision }) => !decision || !('surprise' in decision))).toBe(true);
  });
});

describe('what cannot be', () => {
  test.each([0, 1.5, 11, Number.NaN])('a multistep of %d', (multistep) => {
    expect(() => createSession(actor, { key: key(0), multistep })).toThrow(
      `multistep must be an integer from 1 to 10, the actions of a chunk; got ${multistep}.`,
    );
  });

  test('consistency with nothing', () => {
    expect(() => createSession(actor, { key: key(0), bestOf: 2, consistent: true, multistep: T })).toThrow(
      'a multistep below the 10 actions of a chunk',
    );
  });

  test('two calls at once', async () => {
    const session = createSession(actor, { key: key(0) });
    const first = session.act(seen(0));
    await expect(session.act(seen(0))).rejects.toThrow('answers one call at a time');
    expect(() => session.reset(key(1))).toThrow('answers one call at a time');
    expect((await first).action).toHaveLength(7);
  });

  test('an answer that is no chunk; the session goes on where it was', async () => {
    let broken = true;
    const flaky: Actor = {
      ...actor,
      infer: (asked, options: { key: Key }) =>
        broken ? Promise.resolve({ actions: new Float32Array(7), latencyMs: 0 }) : actor.infer(asked, options),
    };
    const session = createSession(flaky, { key: key(3) });
    await expect(session.act(seen(0))).rejects.toThrow("The policy's answer at step 0 has 7 numbers; wanted 10 x 7.");
    broken = false;
    expect(timeless(await steps(session, T))).toEqual(timeless(await steps(createSession(actor, { key: key(3) }), T)));
  });
});
