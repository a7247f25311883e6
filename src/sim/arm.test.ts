import { expect, it } from 'vitest';
import { ARM_JOINTS, BASE_POSITION, HOME_JOINTS } from './arm.ts';
import { TabletopEnvironment } from './environment.ts';
import { loadSuite } from './suites.ts';

/** Rounding of the model's printed quaternions, metres. */
const KINEMATICS_M = 1e-6;

/**
 * Grip site in the arm's base by the published Denavit-Hartenberg parameters (Craig's convention), flange at 0.107 m,
 * fingertips 0.1034 m further.
 */
function published(q: readonly number[]): [number, number, number] {
  const a = [0, 0, 0, 0.0825, -0.0825, 0, 0.088];
  const d = [0.333, 0, 0.316, 0, 0.384, 0, 0];
  const alpha = [0, -1, 1, 1, -1, 1, 1].map((quarter) => (quarter * Math.PI) / 2);
  let point: [number, number, number] = [0, 0, 0.107 + 0.1034];
  for (let i = 6; i >= 0; i--) {
    const [x, y, z] = [point[0], point[1], point[2] + d[i]];
    const [c, s] = [Math.cos(q[i]), Math.sin(q[i])];
    const [px, py, pz] = [c * x - s * y, s * x + c * y, z];
    const [ca, sa] = [Math.cos(alpha[i]), Math.sin(alpha[i])];
    point = [px + a[i], ca * py - sa * pz, sa * py + ca * pz];
  }
  return point;
}

it("has the Panda's published kinematics and joint limits", async () => {
  using environment = await TabletopEnvironment.open(loadSuite('tabletop-object')[0]);
  const { world } = environment;
  const bent = [0.3, 0.5, -0.4, -1.7, 0.6, 1.9, -0.2];
  for (const q of [[0, 0, 0, 0, 0, 0, 0], HOME_JOINTS, bent]) {
    world.setArm(q, 0.04);
    world.physics.refresh();
    const expected = published(q).map((v, i) => v + BASE_POSITION[i]);
    for (const [i, v] of environment.world.observe().eefPosition.entries())
      expect(Math.abs(v - expected[i])).toBeLessThan(KINEMATICS_M);
  }
  const ranges = ARM_JOINTS.map((name) => {
    const joint = world.physics.id('joint', name);
    return [...world.physics.model.jnt_range.subarray(2 * joint, 2 * joint + 2)];
  });
  expect(ranges).toEqual([
    [-2.8973, 2.8973],
    [-1.7628, 1.7628],
    [-2.8973, 2.8973],
    [-3.0718, -0.0698],
    [-2.8973, 2.8973],
    [-0.0175, 3.7525],
    [-2.8973, 2.8973],
  ]);
});
