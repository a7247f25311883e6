/**
 * What must come out the same to the bit in every engine: an expert's and a policy's episode in the simulator, what the
 * camera sees of them, random numbers, a training's schedule. Nothing of Node, so that a browser can run it too.
 */
import { encoderOf } from '../../src/encoders/index.ts';
import { sha256 } from '../../src/hash.ts';
import { policySchema } from '../../src/policy/config.ts';
import { init } from '../../src/policy/model.ts';
import { buildPolicy } from '../../src/policy/policy.ts';
import { fold, key, rng } from '../../src/random.ts';
import { actionSize, type Observation, PANDA, stateSize } from '../../src/robot/index.ts';
import {
  createExpert,
  createTask,
  demoKey,
  initialStateKey,
  TabletopEnvironment,
  type Task,
} from '../../src/sim/index.ts';
import { emaDecayAt, learningRateAt } from '../../src/train/schedule.ts';

const STEPS = 100;
const CHUNK = 10;
const A = actionSize(PANDA);

const hash = (numbers: Float64Array | Float32Array | Uint8Array) =>
  sha256(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));

/** @param bddl text of the first task of tabletop-object @returns SHA-256 by what it is of */
export async function bits(bddl: string): Promise<Record<string, string>> {
  const task = createTask('tabletop-object', 0, 'task', bddl);
  using environment = await TabletopEnvironment.open(task);
  const shown = environment.reset(demoKey(task, 0, 7));
  const ask = createExpert(environment, key(7));
  const expert = await episode(environment, shown, () => ask(environment.world.observe()));
  const picture = hash(environment.images(['agentview']).agentview.data);
  const before = environment.reset(initialStateKey(task, 0));
  using act = await randomPolicy(environment, task);
  const policy = await episode(environment, before, act);
  const schedule = { learningRate: 1e-3, steps: 1000, warmupFraction: 0.1, holdFraction: 0.2 };
  const rates = Float64Array.from({ length: 1000 }, (_, step) =>
    learningRateAt(step, { ...schedule, initialScale: 0.1, finalScale: 0.01 }),
  );
  const averages = Float64Array.from({ length: 1000 }, (_, step) => emaDecayAt(step));
  const draws = rng(key(3));
  return {
    scene: environment.sceneHash,
    expert,
    picture,
    policy,
    schedule: hash(Float64Array.of(...rates, ...averages)),
    normals: hash(Float64Array.from({ length: 100_000 }, () => draws.normal())),
  };
}

type Act = (observation: Observation, step: number) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** @returns the hash of the simulator's state after `STEPS` control steps */
async function episode(environment: TabletopEnvironment, first: Observation, act: Act): Promise<string> {
  let seen = first;
  for (let step = 0; step < STEPS; step++) seen = environment.step(await act(seen, step)).observation;
  return hash(environment.state());
}

/** Random weights, encoder and decoder as WebAssembly: the policy's default. */
async function randomPolicy(environment: TabletopEnvironment, { instruction }: Task): Promise<Act & Disposable> {
  const encoder = encoderOf({ name: 'state' });
  const { categories = [] } = environment.observe().entities ?? {};
  const episodes = [{ where: 'the scene', instruction, categories }];
  const config = policySchema.parse({
    encoder: encoder.configure(encoder.settings.parse({}), { episodes, robot: PANDA, assets: {} }),
    decoder: { name: 'nina', n_layers: 4, affine_dim: 32, chunk_length: CHUNK },
    robot: PANDA,
    acting: { multistep: CHUNK, temperature: 1 },
  });
  const moments = (width: number) => ({ mean: Array(width).fill(0.1), std: Array(width).fill(0.3) });
  const statistics = { encoder: { state: moments(stateSize(PANDA)), position: moments(3), joint: moments(1) } };
  const policy = await buildPolicy({ config, statistics, model: init(key(1), config), assets: {} });
  let plan = new Float32Array();
  const act: Act = async (observation, step) => {
    const at = (step % CHUNK) * A;
    if (at === 0) {
      plan = (await policy.infer(observation, { key: fold(key(2), step) })).actions as Float32Array<ArrayBuffer>;
    }
    return plan.subarray(at, at + A);
  };
  return Object.assign(act, { [Symbol.dispose]: () => policy[Symbol.dispose]() });
}
