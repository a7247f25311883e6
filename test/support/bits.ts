/**
 * What must come out the same to the bit in every engine: an expert's and a policy's episode in the simulator, what the
 * camera sees of them, random numbers, a training's schedule. Nothing of Node, so that a browser can run it too.
 */
import { init } from '../../src/decoders/nina/nina.ts';
import { compileWasm, foldNina, ninaSchema } from '../../src/decoders/nina/wasm.ts';
import { type StateStatistics, stateEncoder } from '../../src/encoders/state/index.ts';
import { sha256 } from '../../src/hash.ts';
import { fold, key, normals, rng } from '../../src/random.ts';
import { PANDA, stateSize } from '../../src/robot/index.ts';
import { createEyes } from '../../src/sim/eyes.ts';
import {
  asked,
  createExpert,
  createTask,
  demoKey,
  Environment,
  initialStateKey,
  type Observation,
  type Task,
} from '../../src/sim/index.ts';
import { emaDecayAt, learningRateAt } from '../../src/train/schedule.ts';

const STEPS = 100;
const CHUNK = 10;

const hash = (numbers: Float64Array | Float32Array | Uint8Array) =>
  sha256(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));

/** @param bddl text of the first task of tabletop-object @returns SHA-256 by what it is of */
export async function bits(bddl: string): Promise<Record<string, string>> {
  const task = createTask('tabletop-object', 0, 'task', bddl);
  using environment = await Environment.open(task);
  const expert = episode(environment, expertOf(environment, task));
  const picture = hash(createEyes(environment).agentview());
  const policy = episode(environment, await policyOf(environment, task));
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

type Act = (observation: Observation, step: number) => ArrayLike<number>;

/** @returns the hash of the simulator's state after `STEPS` control steps */
function episode(environment: Environment, { observation, act }: { observation: Observation; act: Act }): string {
  let seen = observation;
  for (let step = 0; step < STEPS; step++) seen = environment.step(act(seen, step)).observation;
  return hash(environment.state());
}

function expertOf(environment: Environment, task: Task) {
  const observation = environment.reset(demoKey(task, 0, 7));
  const expert = createExpert(environment, key(7));
  return { observation, act: expert };
}

/** A fresh decoder that hears the encoder's features directly. */
async function policyOf(environment: Environment, task: Task) {
  const observation = environment.reset(initialStateKey(task, 0));
  const categories = observation.entities.map(({ category }) => category);
  const config = stateEncoder.configure(stateEncoder.settings.parse({}), {
    episodes: [{ where: 'the task', instruction: task.instruction, categories }],
    robot: PANDA,
  });
  const arrays = stateEncoder.arrays(config, 1);
  const { 'state.proprio': proprio, 'state.features': features } = arrays;
  const cond_dim = proprio.length + features.length;
  const nina = ninaSchema.parse({ n_layers: 4, affine_dim: 32, cond_dim, chunk_length: CHUNK });
  const decoder = await compileWasm(foldNina(nina, init(key(1), nina)), { maxBatch: 1 });
  const act: Act = (seen, step) => {
    stateEncoder.write(config, STATISTICS, asked(seen, task.instruction), arrays, 0);
    const cond = Float32Array.of(...proprio, ...features);
    const z = normals(fold(key(2), step), CHUNK * nina.action_dim);
    const { actions } = decoder.sample(z, cond, 1);
    return actions.subarray(0, nina.action_dim).map((a) => Math.max(-1, Math.min(1, a)));
  };
  return { observation, act };
}

const moments = (width: number) => ({ mean: Array(width).fill(0.1), std: Array(width).fill(0.3) });
const STATISTICS: StateStatistics = {
  state: moments(stateSize(PANDA)),
  position: moments(3),
  joint: moments(1),
};
