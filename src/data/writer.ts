/**
 * Demonstration files in LIBERO's HDF5 layout: one file per task, one group per successful episode of T control steps.
 *
 *   /data                      attributes
 *     tag                      'libero-v1'
 *     env_name, problem_info   names; JSON with `language_instruction`
 *     macros_image_convention  'opengl': image row 0 is the bottom row
 *     bddl_file_name           '<suite>/<task>.bddl'
 *     bddl_file_content        the task's whole BDDL source, so that a file can be replayed by itself
 *     env_args                 JSON: control rate, engine, versions
 *     num_demos, total         int64: episodes and control steps in the file
 *     nina_robot               ours, JSON: the robot's name and what its actions and state mean; absent: LIBERO's Panda
 *     nina_recording           ours, JSON: how the file was recorded (suite, seed, attempts, versions)
 *   /data/demo_N               attributes num_samples (T), model_file (MJCF), init_state (= states[0]), nina_attempt (ours)
 *     actions        f64 [T, A]   as the robot says; of LIBERO's, A = 7 in [-1, 1]: delta position (x 0.05 m), delta rotation
 *                                 (x 0.5 rad), gripper (-1 open, +1 close)
 *     states         f64 [T, S]   simulator state before each action
 *     robot_states   f64 [T, 9]   fingers 2, end-effector position 3, quaternion x y z w 4
 *     rewards, dones u8  [T]      1 at the last step
 *     obs/joint_states [T, 7] rad, obs/gripper_states [T, 2] m, obs/ee_pos [T, 3] m, obs/ee_ori [T, 3] axis-angle rad,
 *     obs/ee_states [T, 6] = ee_pos, ee_ori                                          all f64, before each action
 *     obs/state      [T, P] ours, as the robot says; instead of the joint, gripper and ee datasets in files of other robots
 *     obs/entities   f32 [T, N, 8]  ours: position 3, quaternion w x y z 4, joint 1 of each thing the policy can see;
 *                                  attributes names, categories: N strings each
 *     obs/agentview_rgb, obs/eye_in_hand_rgb  u8 [T, H, W, 3], gzip-4, optional
 *
 * Equal recordings are equal files, byte for byte: HDF5's modification times are cleared.
 *
 * A file is filled under a temporary name, episode by episode (images do not fit in memory for a whole task), and
 * renamed when complete.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Group } from 'h5wasm/node';
import { NinaError } from '../errors.ts';
import { draftOf, fileError, makeFolder } from '../files.ts';
import { toJson } from '../json.ts';
import { actionSize, ENTITY_SIZE, PANDA } from '../robot/index.ts';
import { axisAngleFromQuaternion } from './axis-angle.ts';
import { type Hdf5Root, type Library, loadLibrary } from './hdf5/library.ts';
import { addressOf } from './hdf5/links.ts';
import { createHdf5, hdf5Error } from './hdf5/open.ts';
import { clearTimes } from './hdf5/times.ts';
import { OWN_ENVIRONMENT, ROBOT_ATTRIBUTE } from './header.ts';

/** What is common to all episodes of one task. */
export interface TaskHeader {
  suite: string;
  task: string;
  instruction: string;
  /** BDDL source text. */
  bddl: string;
  entityNames: readonly string[];
  entityCategories: readonly string[];
  /** Goes to `env_args`. */
  environment: Readonly<Record<string, string | number>>;
}

/** One recorded episode of the Panda, row-major, every row taken before its action. Images have row 0 at the top. */
export interface Demonstration {
  attempt: number;
  modelXml: string;
  actions: Float64Array;
  states: Float64Array;
  jointPositions: Float64Array;
  gripper: Float64Array;
  eefPosition: Float64Array;
  /** w x y z */
  eefQuaternion: Float64Array;
  entities: Float32Array;
  images?: { width: number; height: number; agentview: Uint8Array; eyeInHand: Uint8Array };
}

export class DemonstrationWriter implements Disposable {
  readonly #target: string;
  readonly #temporary: string;
  readonly #library: Library;
  readonly #file: Hdf5Root;
  readonly #data: Group;
  /** Addresses of the datasets' object headers. */
  readonly #headers: number[] = [];
  readonly #entities: Pick<TaskHeader, 'entityNames' | 'entityCategories'>;
  #demos = 0;
  #steps = 0;
  #open = true;

  /** Starts `target` under a temporary name beside it. @throws NinaError when the folder cannot be written. */
  static async open(target: string, header: TaskHeader): Promise<DemonstrationWriter> {
    return new DemonstrationWriter(target, header, await loadLibrary());
  }

  private constructor(target: string, header: TaskHeader, library: Library) {
    this.#target = target;
    this.#library = library;
    this.#temporary = draftOf(target);
    this.#entities = header;
    try {
      makeFolder(path.dirname(target));
      // Node says why a file cannot be created (permission, missing folder); HDF5 does not.
      fs.writeFileSync(this.#temporary, '');
      this.#file = createHdf5(this.#temporary, library);
    } catch (cause) {
      fs.rmSync(this.#temporary, { force: true });
      throw hdf5Error(`Could not write ${target}`, fileError(`Could not write ${target}`, cause));
    }
    const data = this.#file.create_group('data');
    this.#data = data;
    this.#guard(() => {
      const text: Record<string, string> = {
        tag: 'libero-v1',
        env_name: OWN_ENVIRONMENT,
        problem_info: JSON.stringify({
          problem_name: header.suite,
          domain_name: 'robosuite',
          language_instruction: header.instruction,
        }),
        macros_image_convention: 'opengl',
        bddl_file_name: `${header.suite}/${header.task}.bddl`,
        bddl_file_content: header.bddl,
        [ROBOT_ATTRIBUTE]: toJson(PANDA),
        env_args: toJson({ type: 1, env_name: OWN_ENVIRONMENT, env_kwargs: header.environment }),
      };
      for (const [name, value] of Object.entries(text)) data.create_attribute(name, value);
    });
  }

  /** Writes one episode as the next demo_N. @throws NinaError (a full disk is told as such); the file is discarded. */
  append(demo: Demonstration): void {
    this.#guard(() => this.#write(demo));
    this.#steps += demo.actions.length / actionSize(PANDA);
    this.#demos++;
  }

  /** Completes the file with how it was recorded, and moves it into place. */
  commit(recording: unknown): void {
    this.#guard(() => {
      this.#data.create_attribute('num_demos', this.#demos, [], '<q');
      this.#data.create_attribute('total', this.#steps, [], '<q');
      this.#data.create_attribute('nina_recording', toJson(recording));
      this.#open = false;
      this.#file.close();
      clearTimes(this.#temporary, this.#headers);
      const fd = fs.openSync(this.#temporary, 'r+');
      fs.fsyncSync(fd);
      fs.closeSync(fd);
      fs.renameSync(this.#temporary, this.#target);
    });
  }

  /** Discards an uncommitted file. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#file.close();
    } catch {
      // Flushing what is being thrown away may fail (the disk is full); the file goes either way.
    }
    fs.rmSync(this.#temporary, { force: true });
  }

  #guard(write: () => void): void {
    if (!this.#open)
      throw new NinaError(
        `${this.#target} is no longer being written: its writer was disposed of, or failed before. Open a new one.`,
      );
    try {
      write();
    } catch (cause) {
      this[Symbol.dispose]();
      fs.rmSync(this.#temporary, { force: true });
      const what = `Could not write ${this.#target}`;
      throw hdf5Error(what, fileError(what, cause));
    }
  }

  #write(demo: Demonstration): void {
    const steps = demo.actions.length / actionSize(PANDA);
    const stateSize = demo.states.length / steps;
    const group = this.#data.create_group(`demo_${this.#demos}`);
    group.create_attribute('num_samples', steps, [], '<q');
    group.create_attribute('nina_attempt', demo.attempt, [], '<q');
    group.create_attribute('model_file', demo.modelXml);
    group.create_attribute('init_state', demo.states.subarray(0, stateSize));

    const last = Uint8Array.from({ length: steps }, (_, t) => (t === steps - 1 ? 1 : 0));
    const eeOrientation = new Float64Array(steps * 3);
    const eeStates = new Float64Array(steps * 6);
    const robotStates = new Float64Array(steps * 9);
    for (let t = 0; t < steps; t++) {
      const position = demo.eefPosition.subarray(t * 3, t * 3 + 3);
      const [w, x, y, z] = demo.eefQuaternion.subarray(t * 4, t * 4 + 4);
      const orientation = axisAngleFromQuaternion([w, x, y, z]);
      eeOrientation.set(orientation, t * 3);
      eeStates.set([...position, ...orientation], t * 6);
      robotStates.set([...demo.gripper.subarray(t * 2, t * 2 + 2), ...position, x, y, z, w], t * 9);
    }
    const add = (to: Group, dataset: NewDataset) => {
      const made = to.create_dataset(dataset);
      this.#headers.push(addressOf({ file: { root: this.#file, library: this.#library }, path: made.path }));
      return made;
    };
    add(group, { name: 'actions', data: demo.actions, shape: [steps, actionSize(PANDA)] });
    add(group, { name: 'states', data: demo.states, shape: [steps, stateSize] });
    add(group, { name: 'robot_states', data: robotStates, shape: [steps, 9] });
    add(group, { name: 'rewards', data: last, shape: [steps] });
    add(group, { name: 'dones', data: last, shape: [steps] });

    const obs = group.create_group('obs');
    add(obs, { name: 'joint_states', data: demo.jointPositions, shape: [steps, demo.jointPositions.length / steps] });
    add(obs, { name: 'gripper_states', data: demo.gripper, shape: [steps, 2] });
    add(obs, { name: 'ee_pos', data: demo.eefPosition, shape: [steps, 3] });
    add(obs, { name: 'ee_ori', data: eeOrientation, shape: [steps, 3] });
    add(obs, { name: 'ee_states', data: eeStates, shape: [steps, 6] });
    const { entityNames, entityCategories } = this.#entities;
    const count = entityNames.length;
    const entities = add(obs, { name: 'entities', data: demo.entities, shape: [steps, count, ENTITY_SIZE] });
    entities.create_attribute('names', [...entityNames], [count]);
    entities.create_attribute('categories', [...entityCategories], [count]);
    if (demo.images) writeImages((dataset) => add(obs, dataset), steps, demo.images);
  }
}

type NewDataset = Parameters<Group['create_dataset']>[0];

function writeImages(
  add: (dataset: NewDataset) => void,
  steps: number,
  images: NonNullable<Demonstration['images']>,
): void {
  const { width, height } = images;
  for (const [name, frames] of [
    ['agentview_rgb', images.agentview],
    ['eye_in_hand_rgb', images.eyeInHand],
  ] as const)
    add({
      name,
      data: upsideDown(frames, steps * height, height, width * 3),
      shape: [steps, height, width, 3],
      chunks: [1, height, width, 3],
      compression: 'gzip',
      compression_opts: [4],
    });
}

/** Reverses the rows inside each frame: LIBERO's raw images follow OpenGL, row 0 at the bottom. */
function upsideDown(frames: Uint8Array, rows: number, height: number, rowBytes: number): Uint8Array {
  const out = new Uint8Array(frames.length);
  for (let row = 0; row < rows; row++) {
    const inFrame = row % height;
    const from = row - inFrame + (height - 1 - inFrame);
    out.set(frames.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return out;
}
