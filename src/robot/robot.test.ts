import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  actionSize,
  BIMANUAL,
  checkActions,
  denormaliseActions,
  describeActions,
  normaliseActions,
  PANDA,
  padActions,
  type Robot,
  requireSameRobot,
  robotSchema,
  SIX_JOINT_ARM,
  stateSize,
} from './index.ts';

const ROBOTS = [PANDA, SIX_JOINT_ARM, BIMANUAL];
const robots = fc.constantFrom(...ROBOTS);

test('three robots of other sizes, each as its schema wants', () => {
  expect(ROBOTS.map(actionSize)).toEqual([7, 6, 14]);
  expect(ROBOTS.map(stateSize)).toEqual([11, 6, 14]);
  for (const robot of ROBOTS) expect(robotSchema.parse(JSON.parse(JSON.stringify(robot)))).toEqual(robot);
});

describe('a description that cannot be meant is refused', () => {
  const edited = (robot: Robot, change: object) => ({
    ...robot,
    action: { ...robot.action, dimensions: [{ ...robot.action.dimensions[0], ...change }] },
  });
  test.each([
    [edited(PANDA, { low: 1 }), 'low must be below high; got 1 and 1'],
    [edited(PANDA, { low: 0.5 }), 'an action that rests at zero must have 0 in [0.5, 1]'],
    [{ ...PANDA, state: { names: ['x'], endEffector: 0 } }, 'the pose of the end effector must lie within the state'],
  ])('%#', (robot, message) => {
    expect(robotSchema.safeParse(robot).error?.issues.map((issue) => issue.message)).toEqual([message]);
  });
});

describe('actions', () => {
  test('what lies outside the range is named by step and dimension; a limit is within it in either precision', () => {
    const rows = Float32Array.from([...Array(6).fill(Math.PI), ...Array(6).fill(-Math.PI)]);
    checkActions(SIX_JOINT_ARM.action, rows, 'demo');
    checkActions(SIX_JOINT_ARM.action, Array(6).fill(Math.PI), 'demo');
    rows[8] = 3.15;
    expect(() => checkActions(SIX_JOINT_ARM.action, rows, 'demo')).toThrow(
      `demo: step 1, dimension 2 (elbow) is ${rows[8]}, outside [-3.141592653589793, 3.141592653589793].`,
    );
    rows[8] = Number.NaN;
    expect(() => checkActions(SIX_JOINT_ARM.action, rows, 'demo')).toThrow('(elbow) is NaN');
    expect(() => checkActions(BIMANUAL.action, rows, 'demo')).toThrow('demo: 12 numbers are no rows of 14 actions.');
  });

  /** Two roundings to float32, of numbers up to pi. */
  const ROUNDING = 1e-6;
  test('every range becomes [-1, 1] and comes back', () => {
    fc.assert(
      fc.property(robots, fc.double({ min: 0, max: 1, noNaN: true }), (robot, share) => {
        const { dimensions } = robot.action;
        const row = Float32Array.from(dimensions, ({ low, high }) => low + share * (high - low));
        const scaled = normaliseActions(robot.action, row.slice());
        for (const x of scaled) expect(Math.abs(x - (2 * share - 1))).toBeLessThan(ROUNDING);
        const back = denormaliseActions(robot.action, scaled);
        checkActions(robot.action, back, 'back');
        for (const [d, x] of back.entries()) expect(Math.abs(x - row[d])).toBeLessThan(ROUNDING);
      }),
    );
  });

  test("the Panda's commands are the decoder's numbers, bit for bit", () => {
    const row = Float32Array.from([-1, -0.3, 1e-9, 0.1, 0.7, 1, 0]);
    expect(normaliseActions(PANDA.action, row.slice())).toEqual(row);
    expect(denormaliseActions(PANDA.action, row.slice())).toEqual(row);
  });

  test('whatever a decoder answers is within the range', () => {
    fc.assert(
      fc.property(robots, fc.float({ noNaN: true }), (robot, x) => {
        const answer = denormaliseActions(robot.action, new Float32Array(actionSize(robot)).fill(x));
        checkActions(robot.action, answer, 'answer');
      }),
    );
  });

  test('beyond the end motions are zero and targets are held', () => {
    const rows = new Float32Array(14).fill(9);
    padActions(PANDA.action, rows, 1, [1, 2, 3, 4, 5, 6, 0.5]);
    expect([...rows]).toEqual([9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0.5]);
    const held = new Float32Array(6);
    padActions(SIX_JOINT_ARM.action, held, 0, [1, 2, 3, -1, -2, -3]);
    expect([...held]).toEqual([1, 2, 3, -1, -2, -3]);
  });

  test('described for people', () => {
    expect(describeActions(SIX_JOINT_ARM.action).split('\n').slice(0, 2)).toEqual([
      'one action every 20 ms:',
      "0  waist           [-3.1416, 3.1416]  +1 = 1 rad  positive: as the joint's axis turns, right-handed  absolute joint angle",
    ]);
  });
});

test('robots that differ are told with the first difference', () => {
  const same = JSON.parse(JSON.stringify(PANDA)) as Robot;
  requireSameRobot(['a', PANDA], ['b', same], '');
  const dimensions = PANDA.action.dimensions.map((one, i) => (i === 6 ? { ...one, positive: 'open' } : one));
  expect(() =>
    requireSameRobot(
      ['a.hdf5', PANDA],
      ['b.hdf5', { ...PANDA, action: { ...PANDA.action, dimensions } }],
      'Part them.',
    ),
  ).toThrow(
    'a.hdf5 is of the robot panda and b.hdf5 of panda, which differ in action.dimensions.6.positive: "close" and "open". Part them.',
  );
  expect(() => requireSameRobot(['a', PANDA], ['b', BIMANUAL], '')).toThrow('differ in name: "panda" and "bimanual"');
});
