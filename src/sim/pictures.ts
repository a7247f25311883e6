/** The robot's two cameras, and pictures of a moment that are drawn when somebody looks at them. */
import { NinaError } from '../errors.ts';
import type { Picture } from '../robot/index.ts';
import type { Camera, GeomPoses, View } from './camera/index.ts';

export const CAMERAS = ['agentview', 'eye_in_hand'] as const;
export type CameraName = (typeof CAMERAS)[number];

/** Sides of a picture in pixels, LIBERO's. */
export const PICTURE_SIZE = { width: 128, height: 128 } as const;

/** @throws NinaError for the name of a camera that the robot does not have. */
export function cameraName(name: string): CameraName {
  const camera = CAMERAS.find((known) => known === name);
  if (!camera) throw new NinaError(`The simulated robot has no camera '${name}'; its views are ${CAMERAS.join(', ')}.`);
  return camera;
}

/** What the camera sees of these poses. It is drawn when `data` is first read, and kept: poses and view must not change. */
export function lazyPicture(camera: Camera, poses: GeomPoses, view: View): Picture {
  let drawn: Uint8Array | undefined;
  return {
    width: camera.width,
    height: camera.height,
    get data() {
      drawn ??= camera.render(poses, view);
      return drawn;
    },
  };
}
