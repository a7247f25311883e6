/** The simulator: tasks, physics, goals, the scripted expert. Nothing here needs a disk; `suites.ts` does. */
export { type CameraName, type CameraPose, Environment } from './environment.ts';
export { createExpert, type Expert } from './expert/index.ts';
export { OBJECTS } from './objects.ts';
export { type Asked, asked, posesOf } from './observe.ts';
export { POSITION_SCALE_M, ROTATION_SCALE_RAD } from './osc.ts';
export {
  createTask,
  demoKey,
  FIXED_INITIAL_STATES,
  initialStateKey,
  SUITES,
  type SuiteName,
  type Task,
} from './task.ts';
export { CONTROL_HZ } from './timing.ts';
export type { Entity, Observation, Quat, Vec3 } from './types.ts';
