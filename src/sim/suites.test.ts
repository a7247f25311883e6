import { describe, expect, it } from 'vitest';
import { PREDICATES } from './bddl/index.ts';
import { initialStateKey } from './contract.ts';
import { TabletopEnvironment } from './environment.ts';
import { loadSuite } from './suites.ts';
import { demoKey, FIXED_INITIAL_STATES, SUITES } from './task.ts';

const tasks = SUITES.flatMap(loadSuite);

describe('the suites', () => {
  it('have 10, 10, 10, 10 and 90 tasks', () => {
    expect(SUITES.map((suite) => loadSuite(suite).length)).toEqual([10, 10, 10, 10, 90]);
  });

  it('use all six goal predicates', () => {
    const used = new Set(tasks.flatMap(({ problem }) => problem.goal.map(({ predicate }) => predicate)));
    expect([...used].sort()).toEqual(Object.keys(PREDICATES).sort());
  });

  it('give every task of a suite an instruction of its own in its scene', () => {
    for (const suite of SUITES) {
      const seen = loadSuite(suite).map(({ instruction, problem }) =>
        JSON.stringify([instruction, problem.regions, problem.init]),
      );
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('are refused by a wrong name, with the right ones', () => {
    expect(() => loadSuite('libero_object')).toThrow(
      "There is no suite 'libero_object'; the suites are tabletop-spatial, tabletop-object",
    );
  });

  it('never evaluate on the placement of a demonstration', () => {
    const keys = new Set<string>();
    const [task] = tasks;
    for (let seed = 0; seed < 3; seed++)
      for (let episode = 0; episode < FIXED_INITIAL_STATES; episode++) {
        keys.add(initialStateKey(task, episode, seed).join());
        keys.add(demoKey(task, episode, seed).join());
      }
    expect(keys.size).toBe(2 * 3 * FIXED_INITIAL_STATES);
  });
});

describe('every task', () => {
  it('builds, settles, and starts as its file says', { timeout: 120_000 }, async () => {
    const hashes = new Map<string, Set<string>>();
    for (const task of tasks) {
      using environment = await TabletopEnvironment.open(task);
      // The premise is checked by `reset`.
      environment.reset(initialStateKey(task, 0));
      expect(environment.succeeded()).toBe(false);
      hashes.set(task.suite, (hashes.get(task.suite) ?? new Set()).add(environment.sceneHash));
    }
    // One scene serves several instructions: what to do can only come from the words.
    expect(hashes.get('tabletop-object')?.size).toBe(2);
    expect(hashes.get('tabletop-goal')?.size).toBe(1);
  });
});
