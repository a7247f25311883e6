import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Key, key } from '../random.ts';
import { FINGER_TRAVEL_M } from './arm.ts';
import { initialStateKey } from './contract.ts';
import { TabletopEnvironment } from './environment.ts';
import { matrixFromAxisAngle, rotate } from './rotation.ts';
import { loadSuite } from './suites.ts';
import type { Task } from './task.ts';
import type { WorldObservation } from './types.ts';

const HOLD = [0, 0, 0, 0, 0, 0, -1];
const [task, otherTask] = loadSuite('tabletop-object') as [Task, Task];
let environment: TabletopEnvironment;

beforeAll(async () => {
  environment = await TabletopEnvironment.open(task);
});
afterAll(() => environment[Symbol.dispose]());

function run(actions: readonly (readonly number[])[], e = environment): WorldObservation {
  for (const action of actions) e.step(action);
  return e.world.observe();
}
/** What the world is when an episode has begun. */
function start(placement: Key, e = environment): WorldObservation {
  e.reset(placement);
  return e.world.observe();
}
const repeat = (action: readonly number[], n: number) => Array.from({ length: n }, () => action);
/** A varied but fixed sequence of actions. */
const wander = Array.from({ length: 40 }, (_, t) =>
  Array.from({ length: 7 }, (_, i) => (i === 6 ? (t < 20 ? -1 : 1) : 0.6 * Math.sin(0.3 * t + i))),
);

describe('the action convention', () => {
  it('holds the hand where it is under zero actions', () => {
    const { eefPosition: before } = start(key(1));
    const { eefPosition: after } = run(repeat(HOLD, 40));
    // The controller compensates gravity exactly; what is left is rounding and the end of settling.
    const driftM = Math.hypot(...after.map((v, i) => v - before[i]));
    expect(driftM).toBeLessThan(1e-4);
  });

  it.each([
    [0, 'x'],
    [1, 'y'],
    [2, 'z'],
  ])('moves the hand along +%i (%s), and only there', (axis) => {
    environment.reset(key(1));
    const steps = 5;
    const action = HOLD.map((v, i) => (i === axis ? 0.4 : v));
    const { eefPosition: before } = environment.world.observe();
    const { eefPosition: after } = run([...repeat(action, steps)]);
    const moved = after.map((v, i) => v - before[i]);
    // Goal = achieved pose + 0.02 m a step; the critically damped spring makes about a quarter of it within 50 ms
    // once it is moving, and less at the start.
    const perStep = moved[axis] / steps;
    expect(perStep).toBeGreaterThan(0.1 * 0.02);
    expect(perStep).toBeLessThan(0.4 * 0.02);
    // Forces and torques are decoupled only approximately, and the goal follows the hand, so some drift stays.
    for (const other of [0, 1, 2].filter((i) => i !== axis))
      expect(Math.abs(moved[other])).toBeLessThan(0.3 * moved[axis]);
  });

  it('reaches the goal of a single action: delta times 0.05 m', () => {
    const before = start(key(1)).eefPosition;
    // The goal keeps its distance from where the hand was at the command only for one step; the rest is coasting.
    const once = run([[0, 0, 1, 0, 0, 0, -1]]).eefPosition;
    const expected = (0.05 * 150 * 0.05 ** 2) / 2;
    // Half a t^2 at a = kp * 0.05, less the damping: between a third of that and all of it.
    expect(once[2] - before[2]).toBeGreaterThan(expected / 3);
    expect(once[2] - before[2]).toBeLessThan(expected);
  });

  it('turns the hand about world z by a positive sixth component, and keeps its place', () => {
    const before = start(key(1));
    const after = run([...repeat([0, 0, 0, 0, 0, 0.5, -1], 8), ...repeat(HOLD, 10)]);
    const fingers = rotate(before.eefQuaternion, [0, 1, 0]);
    const turned = rotate(after.eefQuaternion, [0, 1, 0]);
    const angle = Math.atan2(
      fingers[0] * turned[1] - fingers[1] * turned[0],
      fingers[0] * turned[0] + fingers[1] * turned[1],
    );
    expect(angle).toBeGreaterThan(0.3);
    expect(angle).toBeLessThan(8 * 0.25);
    const m = matrixFromAxisAngle([0, 0, angle], new Float64Array(9));
    expect(m[0] * fingers[0] + m[1] * fingers[1]).toBeCloseTo(turned[0], 1);
    expect(Math.hypot(...after.eefPosition.map((v, i) => v - before.eefPosition[i]))).toBeLessThan(0.003);
  });

  it('closes the gripper on +1 and opens it on -1', () => {
    const open = start(key(1)).gripper[0];
    expect(open).toBeCloseTo(FINGER_TRAVEL_M, 3);
    const shut = run(repeat([0, 0, 0, 0, 0, 0, 1], 30));
    expect(shut.gripper[0]).toBeLessThan(0.002);
    expect(shut.gripper[1]).toBeGreaterThan(-0.002);
    expect(run(repeat(HOLD, 40)).gripper[0]).toBeCloseTo(open, 3);
  });

  it('refuses what is no action', () => {
    environment.reset(key(1));
    expect(() => environment.step([0, 0])).toThrow('An action has 7 components; got 2.');
    expect(() => environment.step([0, 0, 1.01, 0, 0, 0, 0])).toThrow('component 2 is 1.01');
    expect(() => environment.step([Number.NaN, 0, 0, 0, 0, 0, 0])).toThrow('component 0 is NaN');
  });
});

describe('determinism', () => {
  it('repeats an episode to the bit, whatever ran before', async () => {
    using fresh = await TabletopEnvironment.open(task);
    fresh.reset(initialStateKey(task, 3));
    run(wander, fresh);
    const wanted = fresh.state();

    using other = await TabletopEnvironment.open(otherTask);
    other.reset(initialStateKey(otherTask, 0));
    environment.reset(initialStateKey(task, 9));
    run(wander.slice(0, 25));
    run(wander.slice(5), other);
    environment.reset(initialStateKey(task, 3));
    run(wander);
    expect(environment.state()).toEqual(wanted);
  });

  it('goes on from a restored state as it did from the original', () => {
    environment.reset(key(4));
    run(wander.slice(0, 23));
    const middle = environment.state();
    const end = run(wander.slice(23));
    const wanted = environment.state();
    environment.reset(key(5));
    run(wander.slice(0, 7));
    environment.restore(middle);
    expect(environment.state()).toEqual(middle);
    expect(run(wander.slice(23))).toEqual(end);
    expect(environment.state()).toEqual(wanted);
  });

  it('places things differently under another key', () => {
    const a = start(key(1)).entities[0].position;
    const b = start(key(2)).entities[0].position;
    expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeGreaterThan(1e-4);
  });

  it('refuses the state of another scene', () => {
    expect(() => environment.restore(new Float64Array(5))).toThrow('got 5. Is it of another scene?');
  });
});

describe('what is seen', () => {
  it('lists objects, fixtures and parts in the same order every time', async () => {
    const [goalTask] = loadSuite('tabletop-goal') as [Task];
    using cabinet = await TabletopEnvironment.open(goalTask);
    const first = start(key(1), cabinet).entities.map(({ name }) => name);
    expect(run([HOLD], cabinet).entities.map(({ name }) => name)).toEqual(first);
    expect(first).toEqual([
      'black_bowl_1',
      'cream_cheese_1',
      'wine_bottle_1',
      'wooden_cabinet_1',
      'flat_stove_1',
      'plate_1',
      'wine_rack_1',
      'wooden_cabinet_1_top_region',
      'wooden_cabinet_1_bottom_region',
      'flat_stove_1_knob',
    ]);
    const drawer = cabinet.world.observe().entities.find(({ name }) => name === 'wooden_cabinet_1_top_region')!;
    expect(drawer.category).toBe('wooden_cabinet_top_drawer');
    expect(drawer.joint).toBeCloseTo(0, 3);
  });

  it('describes every shape and its pose', () => {
    environment.reset(key(1));
    const geoms = environment.geoms();
    const { position, rotation } = environment.geomPoses();
    expect(position).toHaveLength(3 * geoms.length);
    expect(rotation).toHaveLength(9 * geoms.length);
    const i = geoms.findIndex(({ name }) => name === 'alphabet_soup_1_g0');
    expect(geoms[i].kind).toBe('cylinder');
    const soup = environment.world.observe().entities.find(({ name }) => name === 'alphabet_soup_1')!;
    expect([...position.subarray(3 * i, 3 * i + 3)]).toEqual(soup.position.map((v) => expect.closeTo(v, 9)));
  });

  it('has a camera that moves with the hand and one that does not', () => {
    environment.reset(key(1));
    const still = environment.cameraPose('agentview');
    const hand = environment.cameraPose('eye_in_hand');
    run(repeat([0, 0, 1, 0, 0, 0, -1], 10));
    expect(environment.cameraPose('agentview')).toEqual(still);
    expect(environment.cameraPose('eye_in_hand').position[2]).toBeGreaterThan(hand.position[2] + 0.05);
  });
});

describe('memory', () => {
  it('does not grow over many resets and reopened scenes', async () => {
    const megabytes = () => (process.memoryUsage().external + process.memoryUsage().arrayBuffers) / 2 ** 20;
    const cycle = async () => {
      using e = await TabletopEnvironment.open(task);
      for (let i = 0; i < 2; i++) e.reset(key(i));
      run(wander.slice(0, 3), e);
    };
    for (let i = 0; i < 5; i++) await cycle();
    const before = megabytes();
    // A leaked model and its data take 8 MB and more.
    for (let i = 0; i < 40; i++) await cycle();
    expect(megabytes() - before).toBeLessThan(40);
  });
});
