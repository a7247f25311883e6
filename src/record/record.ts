/** One demonstration: the scripted expert, in one environment, from one placement. */
import type { Demonstration } from '../data/index.ts';
import { fold } from '../random.ts';
import { createExpert, demoKey, posesOf, type TabletopEnvironment, type WorldObservation } from '../sim/index.ts';
import type { RobotCameras } from '../sim/robot-cameras.ts';

/** A demonstration, and whether it reached the goal within the task's step limit. */
export interface Attempt {
  success: boolean;
  demonstration: Demonstration;
}

/**
 * Records attempt `attempt`: placement and the expert's variety are functions of (seed, suite, task, attempt).
 * @param cameras absent: no images
 * @throws NinaError when the placed scene breaks the task's premise.
 */
export function recordAttempt(
  environment: TabletopEnvironment,
  attempt: number,
  seed: number,
  cameras?: RobotCameras,
): Attempt {
  const { task } = environment;
  const key = demoKey(task, attempt, seed);
  environment.reset(key);
  const expert = createExpert(environment, fold(key, 'expert'));
  const rows: Row[] = [];
  let success = false;
  for (let step = 0; step < task.maxSteps && !success; step++) {
    const observation = environment.world.observe();
    const action = Float64Array.from(expert(observation));
    rows.push({
      observation,
      action,
      state: environment.state(),
      agentview: cameras?.agentview(),
      eyeInHand: cameras?.eyeInHand(),
    });
    ({ success } = environment.step(action));
  }
  return { success, demonstration: { attempt, modelXml: environment.xml, ...columns(rows, cameras) } };
}

interface Row {
  observation: WorldObservation;
  action: Float64Array;
  state: Float64Array;
  agentview: Uint8Array | undefined;
  eyeInHand: Uint8Array | undefined;
}

function columns(rows: readonly Row[], cameras?: RobotCameras): Omit<Demonstration, 'attempt' | 'modelXml'> {
  const f64 = (pick: (row: Row) => ArrayLike<number>) => concatenate(Float64Array, rows.map(pick));
  return {
    actions: f64((row) => row.action),
    states: f64((row) => row.state),
    jointPositions: f64((row) => row.observation.jointPositions),
    gripper: f64((row) => row.observation.gripper),
    eefPosition: f64((row) => row.observation.eefPosition),
    eefQuaternion: f64((row) => row.observation.eefQuaternion),
    entities: concatenate(
      Float32Array,
      rows.map((row) => posesOf(row.observation.entities)),
    ),
    images: cameras && {
      width: cameras.width,
      height: cameras.height,
      agentview: concatenate(
        Uint8Array,
        rows.map((row) => row.agentview!),
      ),
      eyeInHand: concatenate(
        Uint8Array,
        rows.map((row) => row.eyeInHand!),
      ),
    },
  };
}

interface ArrayType<A> {
  new (length: number): A & { set(values: ArrayLike<number>, offset: number): void };
}

function concatenate<A>(type: ArrayType<A>, parts: readonly ArrayLike<number>[]): A {
  const out = new type(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
