/**
 * One task in the simulator: reset to a placement, step with actions at 20 Hz, ask whether the goal holds.
 * Everything that happens is a function of the task, the placement's key and the actions.
 */
import { NinaError } from '../errors.ts';
import { sha256 } from '../hash.ts';
import { fold, type Key, rng } from '../random.ts';
import { type Observation, PANDA, type Picture } from '../robot/index.ts';
import { FINGER_TRAVEL_M, HOME_JOINTS } from './arm.ts';
import { type Camera, createCamera, type GeomDescription, type View } from './camera/index.ts';
import type { Environment } from './contract.ts';
import { cameraPoseOf, geomPosesOf, geomsOf } from './geometry.ts';
import { Physics } from './mujoco.ts';
import { ACTION_SIZE, OscController } from './osc.ts';
import { type CameraName, cameraName, lazyPicture, PICTURE_SIZE } from './pictures.ts';
import { place } from './placement.ts';
import { holds } from './predicates.ts';
import { checkPremise } from './premise.ts';
import { add } from './rotation.ts';
import { buildScene, type Scene } from './scene.ts';
import type { Task } from './task.ts';
import { SUBSTEPS } from './timing.ts';
import type { Vec3 } from './types.ts';
import { view } from './view.ts';
import { World } from './world.ts';

/** Spread of the start pose's joints, rad. */
const START_NOISE_RAD = 0.02;
/** Control steps with an idle arm before the episode, for the objects to settle. */
const SETTLE_STEPS = 10;
const IDLE = new Float64Array(ACTION_SIZE);

export class TabletopEnvironment implements Environment {
  readonly robot = PANDA;
  readonly task: Task;
  /** The scene as MuJoCo compiled it. */
  readonly xml: string;
  /** SHA-256 of `xml`, hexadecimal: two results are comparable only if theirs are equal. */
  readonly sceneHash: string;
  readonly engineVersion: string;
  /** Whose pictures observations hold. */
  readonly views: readonly CameraName[];
  /** For scripted experts and tests: the things of the scene and where they are. */
  readonly world: World;
  readonly #physics: Physics;
  readonly #controller: OscController;
  #camera: Camera | undefined;

  /**
   * @param options.views cameras whose pictures observations hold, under `images`
   * @throws NinaError if the task's scene cannot be built, or for a camera that the robot does not have.
   * @example
   * ```ts
   * import { key } from 'nina-vla/random';
   * import { createExpert, TabletopEnvironment } from 'nina-vla/sim';
   * import { loadSuite } from 'nina-vla/sim/suites';
   *
   * const [task] = loadSuite('tabletop-object');
   * using environment = await TabletopEnvironment.open(task);
   * environment.reset(key(0));
   * const expert = createExpert(environment, key(1));
   * let success = false;
   * for (let step = 0; step < task.maxSteps && !success; step++)
   *   ({ success } = environment.step(expert(environment.world.observe())));
   * ```
   */
  static async open(task: Task, { views = [] }: { views?: readonly string[] } = {}): Promise<TabletopEnvironment> {
    const cameras = views.map(cameraName);
    const scene = buildScene(task.problem);
    return new TabletopEnvironment(task, scene, await Physics.open(scene.xml), cameras);
  }

  private constructor(task: Task, scene: Scene, physics: Physics, views: readonly CameraName[]) {
    this.task = task;
    this.views = views;
    this.xml = scene.xml;
    this.sceneHash = sha256(new TextEncoder().encode(scene.xml));
    this.engineVersion = physics.engineVersion;
    this.#physics = physics;
    this.world = new World(scene, physics);
    this.#controller = new OscController(physics);
  }

  /** Twice does nothing; any later use is a NinaError. */
  [Symbol.dispose](): void {
    this.#physics[Symbol.dispose]();
  }

  /**
   * Starts an episode: placement and start pose drawn from the key, the scene settled.
   * @throws NinaError naming the task's premise that does not hold.
   */
  reset(placement: Key): Observation {
    this.#physics.reset();
    const noise = rng(fold(placement, 'arm'));
    this.world.setArm(
      HOME_JOINTS.map((q) => q + START_NOISE_RAD * noise.normal()),
      FINGER_TRAVEL_M,
    );
    place(this.world, this.task.problem, fold(placement, 'objects'));
    this.#physics.refresh();
    this.#controller.reset();
    for (let i = 0; i < SETTLE_STEPS; i++) this.#simulate(IDLE);
    checkPremise(this.world, this.task.problem);
    return this.observe();
  }

  /**
   * One control step of 50 ms.
   * @param action [7] in [-1, 1]: position delta / 0.05 m, rotation delta (axis-angle, world) / 0.5 rad, gripper.
   * @throws NinaError for an action of another length, or with a component that is not in [-1, 1].
   */
  step(action: ArrayLike<number>): { observation: Observation; success: boolean } {
    if (action.length !== ACTION_SIZE)
      throw new NinaError(`An action has ${ACTION_SIZE} components; got ${action.length}.`);
    for (let i = 0; i < ACTION_SIZE; i++)
      if (!(Math.abs(action[i]) <= 1))
        throw new NinaError(`Action components must be in [-1, 1]; component ${i} is ${action[i]}. Clamp or check it.`);
    this.#simulate(action);
    return { observation: this.observe(), success: this.succeeded() };
  }

  /** Whether every atom of the goal holds now. */
  succeeded(): boolean {
    return this.task.problem.goal.every((atom) => holds(this.world, atom));
  }

  /** What a policy is asked; `world.observe()` says more. */
  observe(): Observation {
    return view(this.world.observe(), this.task.instruction, this.images(this.views));
  }

  /**
   * Pictures of this moment, whatever happens before they are looked at: each is drawn when its `data` is first read.
   * @param aside how far every camera stands beside its place, metres
   */
  images(views: readonly CameraName[], aside: Vec3 = [0, 0, 0]): Record<string, Picture> {
    if (views.length === 0) return {};
    this.#camera ??= createCamera(this.geoms(), PICTURE_SIZE);
    const camera = this.#camera;
    const poses = this.geomPoses();
    const entries = views.map((name) => {
      const pose = this.cameraPose(name);
      return [name, lazyPicture(camera, poses, { ...pose, position: add(pose.position, aside) })] as const;
    });
    return Object.fromEntries(entries);
  }

  #simulate(action: ArrayLike<number>): void {
    this.#controller.command(action);
    for (let i = 0; i < SUBSTEPS; i++) {
      this.#controller.actuate();
      this.#physics.advance();
    }
  }

  /** Everything the future depends on; equal states and equal actions give bit-equal futures. */
  state(): Float64Array {
    return Float64Array.from([...this.#physics.state(), ...this.#controller.state()]);
  }

  /** @param state from `state()` of an environment with the same `sceneHash`. */
  restore(state: Float64Array): Observation {
    const split = this.#physics.stateSize;
    const expected = split + this.#controller.state().length;
    if (state.length !== expected)
      throw new NinaError(
        `A state of '${this.task.name}' has ${expected} numbers; got ${state.length}. Is it of another scene?`,
      );
    this.#physics.restore(state.subarray(0, split));
    this.#controller.restore(state.subarray(split));
    return this.observe();
  }

  /** The shapes of the scene, in the order of `geomPoses`. */
  geoms(): readonly GeomDescription[] {
    return geomsOf(this.#physics);
  }

  /** World poses of the geoms now: positions [3n], row-major rotations [9n]. */
  geomPoses(): { position: Float64Array; rotation: Float64Array } {
    return geomPosesOf(this.#physics);
  }

  cameraPose(name: CameraName): View {
    return cameraPoseOf(this.#physics, name);
  }
}
