/** Both of the robot's cameras on one environment, at the size policies are trained on. */
import { type Camera, createCamera } from '../sim/camera/index.ts';
import type { Environment } from '../sim/index.ts';

/** Pixels, LIBERO's. */
const SIZE = 128;

export interface Eyes {
  /** Pictures of the present state, new arrays [128 * 128 * 3], row 0 on top. */
  look(): { width: number; height: number; agentview: Uint8Array; eyeInHand: Uint8Array };
  agentview(out?: Uint8Array): Uint8Array;
}

export function createEyes(environment: Environment): Eyes {
  const camera: Camera = createCamera(environment.geoms(), { width: SIZE, height: SIZE });
  const render = (name: 'agentview' | 'eye_in_hand', out?: Uint8Array) =>
    camera.render(environment.geomPoses(), environment.cameraPose(name), out);
  return {
    look: () => ({ width: SIZE, height: SIZE, agentview: render('agentview'), eyeInHand: render('eye_in_hand') }),
    agentview: (out) => render('agentview', out),
  };
}
