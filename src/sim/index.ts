/** The simulator: tasks, physics, goals, the scripted expert. Nothing here needs a disk; `suites.ts` does. */
export { type Environment, initialStateKey, type TaskName } from './contract.ts';
export { TabletopEnvironment } from './environment.ts';
export { createExpert, type Expert } from './expert/index.ts';
export { OBJECTS } from './objects.ts';
export { POSITION_SCALE_M, ROTATION_SCALE_RAD } from './osc.ts';
export { disturbed, playedTask, sceneName } from './perturb.ts';
export { PERTURBATIONS, type PerturbationKind } from './perturbations.ts';
export { CAMERAS, type CameraName, PICTURE_SIZE } from './pictures.ts';
export {
  createTask,
  demoKey,
  FIXED_INITIAL_STATES,
  SUITES,
  type SuiteName,
  type Task,
} from './task.ts';
export { CONTROL_HZ } from './timing.ts';
export type { Entity, Quat, Vec3, WorldObservation } from './types.ts';
export { posesOf } from './view.ts';
