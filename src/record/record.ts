/** One demonstration: the scripted expert, in one environment, from one placement. */
import type { Demonstration } from '../data/index.ts';
import { fold } from '../random.ts';
import type { Picture } from '../robot/index.ts';
import {
  CAMERAS,
  type CameraName,
  createExpert,
  demoKey,
  PICTURE_SIZE,
  posesOf,
  type TabletopEnvironment,
  type WorldObservation,
} from '../sim/index.ts';

/** A demonstration, and whether it reached the goal within the task's step limit. */
export interface Attempt {
  success: boolean;
  demonstration: Demonstration;
}

/**
 * Records attempt `attempt`: placement and the expert's variety are functions of (seed, suite, task, attempt).
 * @param images whether both cameras' pictures are recorded: those a rollout sees
 * @throws NinaError when the placed scene breaks the task's premise.
 */
export function recordAttempt(
  environment: TabletopEnvironment,
  attempt: number,
  seed: number,
  images = false,
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
      pictures: images ? environment.images(CAMERAS) : undefined,
    });
    ({ success } = environment.step(action));
  }
  return { success, demonstration: { attempt, modelXml: environment.xml, ...columns(rows, images) } };
}

interface Row {
  observation: WorldObservation;
  action: Float64Array;
  state: Float64Array;
  pictures: Readonly<Record<string, Picture>> | undefined;
}

function columns(rows: readonly Row[], images: boolean): Omit<Demonstration, 'attempt' | 'modelXml'> {
  const f64 = (pick: (row: Row) => ArrayLike<number>) => concatenate(Float64Array, rows.map(pick));
  const film = (name: CameraName) =>
    concatenate(
      Uint8Array,
      rows.map((row) => row.pictures![name].data),
    );
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
    images: images ? { ...PICTURE_SIZE, agentview: film('agentview'), eyeInHand: film('eye_in_hand') } : undefined,
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
