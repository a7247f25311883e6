/** Both of the robot's cameras on one environment, at the size policies are trained on. */
import { createCamera } from './camera/index.ts';
import type { TabletopEnvironment } from './index.ts';

/** Pixels, LIBERO's. */
const SIZE = 128;

export interface RobotCameras {
  readonly width: number;
  readonly height: number;
  /** The present view from the front: RGB [height, width, 3], row 0 on top; into `out`, or a new array. */
  agentview(out?: Uint8Array): Uint8Array;
  /** From the gripper. */
  eyeInHand(out?: Uint8Array): Uint8Array;
}

export function createRobotCameras(environment: TabletopEnvironment): RobotCameras {
  const camera = createCamera(environment.geoms(), { width: SIZE, height: SIZE });
  const render = (name: 'agentview' | 'eye_in_hand', out?: Uint8Array) =>
    camera.render(environment.geomPoses(), environment.cameraPose(name), out);
  return {
    width: SIZE,
    height: SIZE,
    agentview: (out) => render('agentview', out),
    eyeInHand: (out) => render('eye_in_hand', out),
  };
}
