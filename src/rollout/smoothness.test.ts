import { expect, test } from 'vitest';
import { PANDA, SIX_JOINT_ARM } from '../robot/index.ts';
import { smoothness } from './smoothness.ts';

const command = (x: number) => [x, 0, 0, 0.5 * x, 0, 0, x];

test('a jump between chunks shows at the seam, one inside shows inside', () => {
  const [still, moving] = [command(0), command(1)];
  const at = [0, 0, 0, 0.05, 0.1].map((x) => [x, 0, 0]);
  expect(smoothness(PANDA, [still, still, moving, moving], at, 2)).toEqual({
    ...{ seam_jump_m: [0.05], inside_jump_m: 0 },
    // From rest to 0.05 m in 50 ms, over 50 ms: 20 m/s2 by its second difference.
    ...{ seam_acceleration: [20], inside_acceleration: 0 },
  });
  expect(smoothness(PANDA, [still, moving, moving, moving], at, 2)).toMatchObject({
    seam_jump_m: [0],
    inside_jump_m: 0.025,
  });
});

test('only the position part counts, and one chunk has no seam', () => {
  const turn = [0, 0, 0, 1, 1, 1, -1];
  const at = [0, 0, 0].map(() => [0, 0, 0]);
  expect(smoothness(PANDA, [command(0), turn], at, 1)).toMatchObject({ seam_jump_m: [0], inside_jump_m: 0 });
  expect(smoothness(PANDA, [command(0), turn], at, 5)).toMatchObject({ seam_jump_m: [], seam_acceleration: [] });
});

test('a robot without an end effector in its state, or of joint commands, has none', () => {
  const { endEffector: _, ...state } = PANDA.state;
  expect(smoothness({ ...PANDA, state }, [command(0), command(1)], [[], [], []], 1)).toBeUndefined();
  expect(smoothness(SIX_JOINT_ARM, [Array(6).fill(0)], [Array(6).fill(0), Array(6).fill(0)], 1)).toBeUndefined();
});
