import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { key } from '../random.ts';
import type { Atom } from './bddl/index.ts';
import { TabletopEnvironment } from './environment.ts';
import { holds } from './predicates.ts';
import { checkPremise } from './premise.ts';
import { loadSuite } from './suites.ts';
import type { Vec3 } from './types.ts';

const task = loadSuite('tabletop-goal').find(({ name }) => name === 'put_the_bowl_on_the_plate')!;
const basketTask = loadSuite('tabletop-object').find(({ name }) => name.includes('milk'))!;
let kitchen: TabletopEnvironment;
let pantry: TabletopEnvironment;

beforeAll(async () => {
  kitchen = await TabletopEnvironment.open(task);
  pantry = await TabletopEnvironment.open(basketTask);
});
afterAll(() => {
  kitchen[Symbol.dispose]();
  pantry[Symbol.dispose]();
});

/** An object sunk this far into what carries it certainly touches it. */
const PRESSED_M = 0.0005;
const UPRIGHT = [1, 0, 0, 0] as const;

function put(e: TabletopEnvironment, object: string, on: string, [x, y, z]: Vec3): void {
  const { position } = e.world.pose(on);
  const at: Vec3 = [position[0] + x, position[1] + y, position[2] + z];
  e.world.setPose(object, { position: at, quaternion: UPRIGHT });
  refresh(e);
}

function refresh(e: TabletopEnvironment): void {
  e.world.physics.refresh();
}

const is = (predicate: Atom['predicate'], ...args: string[]) => holds(kitchen.world, { predicate, args });

describe('On another thing', () => {
  const BOWL_ON_PLATE_M = 0.008 + 0.022;

  it('needs contact, a common axis, and the right order', () => {
    kitchen.reset(key(1));
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(false);
    put(kitchen, 'black_bowl_1', 'plate_1', [0, 0, BOWL_ON_PLATE_M - PRESSED_M]);
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(true);
    put(kitchen, 'black_bowl_1', 'plate_1', [0, 0, BOWL_ON_PLATE_M + 0.01]);
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(false);
    put(kitchen, 'black_bowl_1', 'plate_1', [0.029, 0, BOWL_ON_PLATE_M - PRESSED_M]);
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(true);
    put(kitchen, 'black_bowl_1', 'plate_1', [0.031, 0, BOWL_ON_PLATE_M - PRESSED_M]);
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(false);
    put(kitchen, 'black_bowl_1', 'plate_1', [0, 0, -0.01]);
    expect(is('on', 'black_bowl_1', 'plate_1')).toBe(false);
  });
});

describe('On a region', () => {
  const BURNER = [-0.055, 0, 0.024] as const;

  it('needs to be within its sides, at most 0.10 m up, and in contact with what carries it', () => {
    kitchen.reset(key(1));
    const on = () => is('on', 'black_bowl_1', 'flat_stove_1_cook_region');
    const at = (x: number, y: number, z: number) =>
      put(kitchen, 'black_bowl_1', 'flat_stove_1', [BURNER[0] + x, BURNER[1] + y, BURNER[2] + z]);
    at(0, 0, 0.022 - PRESSED_M);
    expect(on()).toBe(true);
    at(0, 0, 0.03);
    expect(on()).toBe(false);
    at(0.08, 0, 0.022 - PRESSED_M);
    expect(on()).toBe(false);
  });

  it('holds for an object in its region of the table', () => {
    kitchen.reset(key(1));
    expect(is('on', 'black_bowl_1', 'main_table_black_bowl_1_init_region')).toBe(true);
    expect(is('on', 'black_bowl_1', 'main_table_cream_cheese_1_init_region')).toBe(false);
  });
});

describe('In', () => {
  it('needs the origin inside the box', () => {
    pantry.reset(key(1));
    const inside = () => holds(pantry.world, { predicate: 'in', args: ['milk_1', 'basket_1_contain_region'] });
    expect(inside()).toBe(false);
    put(pantry, 'milk_1', 'basket_1', [0, 0, 0.038]);
    expect(inside()).toBe(true);
    put(pantry, 'milk_1', 'basket_1', [0, 0, 0.06]);
    expect(inside()).toBe(false);
    put(pantry, 'milk_1', 'basket_1', [0.09, 0, 0.038]);
    expect(inside()).toBe(false);
  });

  it('moves with a drawer', () => {
    kitchen.reset(key(1));
    const drawer = 'wooden_cabinet_1_top_region';
    kitchen.world.setJoint(drawer, 0.15);
    refresh(kitchen);
    put(kitchen, 'black_bowl_1', drawer, [0, 0, 0.03]);
    expect(is('in', 'black_bowl_1', drawer)).toBe(true);
    kitchen.world.setJoint(drawer, 0);
    refresh(kitchen);
    expect(is('in', 'black_bowl_1', drawer)).toBe(false);
  });
});

describe('Open, Close, Turnon, Turnoff', () => {
  it.each([
    ['open', 'close', 'wooden_cabinet_1_top_region', 'wooden_cabinet_1_top_region', 0.13, 0.01],
    ['turnon', 'turnoff', 'flat_stove_1', 'flat_stove_1_knob', 0.6, 0.15],
  ] as const)('%s and %s follow the joint', (open, close, name, joint, openFrom, closedTo) => {
    kitchen.reset(key(1));
    const at = (value: number) => {
      kitchen.world.setJoint(joint, value);
      return [is(open, name), is(close, name)];
    };
    expect(at(0)).toEqual([false, true]);
    expect(at(closedTo + 0.001)).toEqual([false, false]);
    expect(at(openFrom - 0.001)).toEqual([false, false]);
    expect(at(openFrom + 0.001)).toEqual([true, false]);
  });

  it('are refused for what has neither drawer nor knob', () => {
    expect(() => is('open', 'plate_1')).toThrow("'plate_1' has no drawer");
    expect(() => is('turnon', 'wooden_cabinet_1')).toThrow("'wooden_cabinet_1' has no knob");
  });
});

describe('the premise', () => {
  it('holds after a reset', () => {
    kitchen.reset(key(1));
    expect(() => checkPremise(kitchen.world, task.problem)).not.toThrow();
  });

  it('fails when a thing is not where the task says', () => {
    kitchen.reset(key(1));
    put(kitchen, 'black_bowl_1', 'main_table', [0.3, 0.4, 0.0215]);
    expect(() => checkPremise(kitchen.world, task.problem)).toThrow(
      /premise of task .* failed after settling: \(on black_bowl_1 main_table_black_bowl_1_init_region\) is false/,
    );
  });

  it('fails when a thing has fallen over', () => {
    kitchen.reset(key(1));
    const { position } = kitchen.world.pose('wine_bottle_1');
    kitchen.world.setPose('wine_bottle_1', { position, quaternion: [Math.SQRT1_2, Math.SQRT1_2, 0, 0] });
    refresh(kitchen);
    expect(() => checkPremise(kitchen.world, task.problem)).toThrow("'wine_bottle_1' does not stand upright");
  });

  it('fails when the goal already holds', () => {
    kitchen.reset(key(1));
    const goal = [{ predicate: 'close', args: ['wooden_cabinet_1_top_region'] }] as const;
    expect(() => checkPremise(kitchen.world, { ...task.problem, goal: [...goal] })).toThrow(
      'the goal is reached before',
    );
  });
});
