/**
 * MuJoCo with one owner of its memory. Handles of the WebAssembly build are not garbage-collected, and its array views detach when
 * the heap grows; so models and data are created and freed by `Physics`, and views are read anew at every use.
 */
import loadMujoco, { type DoubleBuffer, type MainModule, type MjData, type MjModel } from '@mujoco/mujoco';
import { NinaError } from '../errors.ts';
import { Lifetime } from '../lifetime.ts';
import { loadWasm } from '../wasm.ts';

let loading: Promise<MainModule> | undefined;

/** The engine, instantiated once per thread (about 10 MB of WebAssembly). @throws NinaError without address space. */
function engine(): Promise<MainModule> {
  loading ??= loadWasm('MuJoCo', load);
  return loading;
}

async function load(): Promise<MainModule> {
  let loaded = false;
  // What the engine writes about a failed start is in the error that it throws.
  const printErr = (text: string) => {
    if (loaded) console.error(text);
  };
  const engine: MainModule = await loadMujoco({ printErr });
  loaded = true;
  return engine;
}

export type Named = 'body' | 'joint' | 'geom' | 'site' | 'camera' | 'actuator';

/**
 * A compiled model and its state. Between calls the position- and velocity-dependent quantities (poses, contacts, mass
 * matrix, bias forces) always belong to the current state: `advance` is MuJoCo's second half-step, then the first.
 */
export class Physics implements Disposable {
  readonly engineVersion: string;
  readonly #mj: MainModule;
  readonly #model: MjModel;
  readonly #data: MjData;
  readonly #stateKind: number;
  readonly #stateSize: number;
  /** On the engine's heap: mj_getState given a JavaScript array writes over the heap's first bytes instead. */
  readonly #stateBuffer: DoubleBuffer;
  readonly #life = new Lifetime('The simulation', 'open it again', () => {
    this.#stateBuffer.delete();
    this.#data.delete();
    this.#model.delete();
  });

  /** @throws NinaError with MuJoCo's own message when the XML does not compile. */
  static async open(xml: string): Promise<Physics> {
    return new Physics(await engine(), xml);
  }

  private constructor(mj: MainModule, xml: string) {
    this.#mj = mj;
    this.engineVersion = mj.mj_versionString();
    try {
      this.#model = mj.MjModel.from_xml_string(xml);
    } catch (cause) {
      throw new NinaError(`MuJoCo could not compile the scene: ${(cause as Error).message}`, { cause });
    }
    this.#data = new mj.MjData(this.#model);
    this.#stateKind = mj.mjtState.mjSTATE_INTEGRATION.value;
    this.#stateSize = mj.mj_stateSize(this.#model, this.#stateKind);
    this.#stateBuffer = new mj.DoubleBuffer(this.#stateSize);
    mj.mj_step1(this.#model, this.#data);
  }

  [Symbol.dispose](): void {
    this.#life[Symbol.dispose]();
  }

  /** Back to the model's default state, everything included: warm start, controls, time. */
  reset(): void {
    this.#mj.mj_resetData(this.model, this.data);
  }

  /** Recomputes what depends on positions and velocities; call after writing them. */
  refresh(): void {
    this.#mj.mj_step1(this.model, this.data);
  }

  /** Recomputes poses alone (bodies, geoms, sites, cameras) after writing positions: for looking, not for `advance`. */
  pose(): void {
    this.#mj.mj_kinematics(this.model, this.data);
    this.#mj.mj_comPos(this.model, this.data);
    this.#mj.mj_camlight(this.model, this.data);
  }

  /** One time step under the current controls. */
  advance(): void {
    this.#mj.mj_step2(this.model, this.data);
    this.#mj.mj_step1(this.model, this.data);
  }

  /** Everything the future depends on, warm start and mocap poses included. */
  state(): Float64Array {
    this.#mj.mj_getState(this.model, this.data, this.#stateBuffer, this.#stateKind);
    return Float64Array.from(this.#stateBuffer.GetView());
  }

  get stateSize(): number {
    return this.#stateSize;
  }

  /** @param state [stateSize] from `state()` of the same model. */
  restore(state: Float64Array): void {
    this.reset();
    this.#mj.mj_setState(this.model, this.data, Array.from(state), this.#stateKind);
    this.refresh();
  }

  /** @throws NinaError if the model has nothing of that name. */
  id(kind: Named, name: string): number {
    const id = this.#mj.mj_name2id(this.model, this.#kind(kind), name);
    if (id < 0) throw new NinaError(`The scene has no ${kind} called '${name}'.`);
    return id;
  }

  name(kind: Named, id: number): string {
    return this.#mj.mj_id2name(this.model, this.#kind(kind), id);
  }

  #kind(kind: Named): number {
    const { mjtObj } = this.#mj;
    const kinds = {
      body: mjtObj.mjOBJ_BODY,
      joint: mjtObj.mjOBJ_JOINT,
      geom: mjtObj.mjOBJ_GEOM,
      site: mjtObj.mjOBJ_SITE,
      camera: mjtObj.mjOBJ_CAMERA,
      actuator: mjtObj.mjOBJ_ACTUATOR,
    };
    return kinds[kind].value;
  }

  /**
   * Whether two bodies touch, the bodies welded or jointed to them not counted. Every contact read is a copy on the
   * engine's heap: ask geometry first, and this last.
   */
  touching(bodyA: number, bodyB: number): boolean {
    const body = this.model.geom_bodyid as Int32Array;
    const contacts = this.data.contact;
    let found = false;
    for (let i = 0; i < this.data.ncon && !found; i++) {
      const contact = contacts.get(i)!;
      const [a, b] = [body[contact.geom1], body[contact.geom2]];
      found = (a === bodyA && b === bodyB) || (a === bodyB && b === bodyA);
      contact.delete();
    }
    contacts.delete();
    return found;
  }

  /** The compiled model, for its arrays. @throws NinaError after disposal, as everything that uses it. */
  get model(): MjModel {
    this.#life.check();
    return this.#model;
  }

  /** The state, for its arrays: read a view, use it, drop it. @throws NinaError after disposal. */
  get data(): MjData {
    this.#life.check();
    return this.#data;
  }
}
