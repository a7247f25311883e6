/** The interface of a robot: what a policy is asked, what its actions and state mean, how their numbers are checked and scaled. */
export {
  checkActions,
  clampAction,
  denormaliseActions,
  describeActions,
  isWithin,
  normaliseActions,
  padActions,
} from './actions.ts';
export { requireFinite } from './finite.ts';
export { BIMANUAL, SIX_JOINT_ARM } from './joint-arms.ts';
export { type MeasuredMoments, type Moments, momentsOf, momentsSchema, normalise } from './moments.ts';
export {
  ENTITY_SIZE,
  type Entities,
  type Observation,
  observationFromJson,
  observationSchema,
  observationToJson,
  type StoredObservation,
} from './observation.ts';
export { PANDA, writeProprio } from './panda.ts';
export { flipped, type Picture, requirePicture } from './picture.ts';
export {
  type ActionDimension,
  type ActionSpec,
  actionSize,
  POSE_SIZE,
  type Robot,
  requireSameRobot,
  robotSchema,
  type StateSpec,
  sameRobot,
  stateSize,
} from './robot.ts';
