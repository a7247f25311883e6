/**
 * Everything with a lifetime: disposed of twice, or while it computes, nothing breaks; used afterwards, it says so.
 * A new one is tested by adding a line.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPooling } from '../src/bench/models.ts';
import { DemonstrationWriter, openDemonstrations, openPictures } from '../src/data/index.ts';
import { BACKENDS, compileNina, foldNina, ninaSchema } from '../src/decoders/nina/index.ts';
import { compileWasm } from '../src/decoders/nina/wasm.ts';
import { cpu, ProgramCache } from '../src/engine/index.ts';
import { NinaError } from '../src/errors.ts';
import { lockDirectory } from '../src/lock.ts';
import { POLICY_BACKENDS, type PolicyBackend } from '../src/policy/backends.ts';
import { loadPolicy } from '../src/policy/index.ts';
import { key } from '../src/random.ts';
import { openSceneSampler } from '../src/sim/grounding/index.ts';
import { TabletopEnvironment } from '../src/sim/index.ts';
import { Physics } from '../src/sim/mujoco.ts';
import { loadSuite } from '../src/sim/suites.ts';
import { exp, input } from '../src/tensor/index.ts';
import { demonstration, header } from './data/synthetic.ts';
import { randomModel } from './support/nina.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

interface Lifetime {
  readonly owner: Disposable;
  /** What can be asked of it, by name; each either answers or fails. */
  readonly uses: Readonly<Record<string, () => unknown>>;
  /** What it is called in the sentence. */
  readonly says: RegExp;
}

let dir: string;
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'dispose-'));
  await saveRandomPolicy(path.join(dir, 'nina'));
  await saveRandomPolicy(path.join(dir, 'flower'), {
    name: 'flower',
    dit_dim: 16,
    n_heads: 2,
    n_layers: 1,
  });
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const config = ninaSchema.parse({ n_layers: 2, affine_dim: 8, cond_dim: 12 });
const model = randomModel(config, 1);
const [z, cond] = [new Float32Array(70), new Float32Array(12)];

const policy = async (decoder: string, backend: PolicyBackend): Promise<Lifetime> => {
  const owner = await loadPolicy(path.join(dir, decoder), { backend });
  const { logProb, surprise } = owner;
  return {
    owner,
    uses: {
      infer: () => owner.infer(observation, { key: key(1) }),
      sample: () => owner.sample(observation, { key: key(1), count: 20 }),
      ...(logProb && { logProb: () => logProb(observation, z) }),
      ...(surprise && { surprise: () => surprise(observation, z) }),
    },
    says: /^The policy was disposed of; load it again\.$/,
  };
};
type Compiled = Awaited<ReturnType<typeof compileNina>>;
const compiled = (owner: Compiled): Lifetime => ({
  owner,
  uses: { sample: () => owner.sample(z, cond, 1), logProb: () => owner.logProb(z, cond, 1) },
  says: /^The compiled decoder was disposed of; compile it again\.$/,
});
const simulation = /^The simulation was disposed of; open it again\.$/;

const REGISTRY: Readonly<Record<string, () => Promise<Lifetime>>> = {
  Program: async () => {
    const owner = await cpu.compile({ y: exp(input('x', [2])) });
    const says = /^The program was disposed of; compile it again\.$/;
    return { owner, uses: { run: () => owner.run({ x: new Float32Array(2) }) }, says };
  },
  ProgramCache: async () => {
    const owner = new ProgramCache(cpu, (n) => ({ y: exp(input('x', [n])) }));
    await owner.get(1);
    const says = /^The cache of programs was disposed of; make it again\.$/;
    return { owner, uses: { 'get a known size': () => owner.get(1), 'get a new size': () => owner.get(2) }, says };
  },
  ...Object.fromEntries(POLICY_BACKENDS.map((backend) => [`Policy, ${backend}`, () => policy('nina', backend)])),
  'Policy of FLOWER, wasm': () => policy('flower', 'wasm'),
  'Policy of FLOWER, graph': () => policy('flower', 'graph'),
  ...Object.fromEntries(
    BACKENDS.map((backend) => [
      `CompiledNina, ${backend}`,
      async () => compiled(await compileNina(config, model, { engine: cpu, backend })),
    ]),
  ),
  'WasmNina for browsers': async () => compiled(await compileWasm(foldNina(config, model), { maxBatch: 1 })),
  TabletopEnvironment: async () => {
    const owner = await TabletopEnvironment.open(loadSuite('tabletop-object')[0]);
    owner.reset(key(1));
    const state = owner.state();
    return {
      owner,
      uses: {
        reset: () => owner.reset(key(1)),
        step: () => owner.step(new Float64Array(7)),
        observe: () => owner.observe(),
        succeeded: () => owner.succeeded(),
        state: () => owner.state(),
        restore: () => owner.restore(state),
        geoms: () => owner.geoms(),
        geomPoses: () => owner.geomPoses(),
        cameraPose: () => owner.cameraPose('agentview'),
        'world.observe': () => owner.world.observe(),
      },
      says: simulation,
    };
  },
  Physics: async () => {
    const owner = await Physics.open(
      '<mujoco><worldbody><body name="b"><joint type="free"/><geom size="1"/></body></worldbody></mujoco>',
    );
    const state = owner.state();
    return {
      owner,
      uses: {
        reset: () => owner.reset(),
        refresh: () => owner.refresh(),
        advance: () => owner.advance(),
        state: () => owner.state(),
        restore: () => owner.restore(state),
        id: () => owner.id('body', 'b'),
        name: () => owner.name('body', 0),
        touching: () => owner.touching(0, 1),
        model: () => owner.model,
        data: () => owner.data,
      },
      says: simulation,
    };
  },
  SceneSampler: async () => {
    const owner = await openSceneSampler();
    return { owner, uses: { sample: () => owner.sample(key(1)) }, says: simulation };
  },
  PictureReader: async () => {
    const owner = await openPictures();
    const file = path.join(dir, 'pictures.hdf5');
    using writer = await DemonstrationWriter.open(file, header);
    writer.append(demonstration(key(1), 2, { images: true }));
    writer.commit({});
    const { headers } = await openDemonstrations(file);
    return {
      owner,
      uses: { read: () => owner.read(headers[0], 'agentview', 0) },
      says: /^The reader of pictures was disposed of; open it again\.$/,
    };
  },
  'Decoder of the latency table': async () => {
    const owner = await openPooling(2, 3, 4, key(1));
    return { owner, uses: { run: () => owner.run() }, says: /^The program was disposed of; compile it again\.$/ };
  },
  Lock: async () => ({ owner: await lockDirectory(path.join(dir, 'locked')), uses: {}, says: /./ }),
};

/** The error of a use, thrown or rejected. */
const failure = async (use: () => unknown): Promise<unknown> => {
  try {
    await use();
    return undefined;
  } catch (error) {
    return error;
  }
};
/** Rejections that nobody awaits surface after the queue of promises; the runner then fails the test. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe.each(Object.entries(REGISTRY))('%s', (_, open) => {
  test('disposed of twice, later uses say so', async () => {
    const { owner, uses, says } = await open();
    for (const use of Object.values(uses)) expect(await failure(use)).toBeUndefined();
    owner[Symbol.dispose]();
    owner[Symbol.dispose]();
    await settled();
    for (const use of Object.values(uses)) {
      const error = await failure(use);
      expect(error).toBeInstanceOf(NinaError);
      expect((error as NinaError).message).toMatch(says);
    }
    owner[Symbol.dispose]();
  });

  test('disposed of while it computes, a call ends with its answer or the sentence', async () => {
    const { owner, uses, says } = await open();
    const calls = Object.values(uses).map(failure);
    owner[Symbol.dispose]();
    owner[Symbol.dispose]();
    for (const error of await Promise.all(calls))
      if (error !== undefined) expect(error).toMatchObject({ name: 'NinaError', message: expect.stringMatching(says) });
    await settled();
    for (const use of Object.values(uses)) expect(await failure(use)).toBeInstanceOf(NinaError);
  });
});

test('a cache disposed of while a program compiles frees it when it is there', async () => {
  const cache = new ProgramCache(cpu, (n) => ({ y: exp(input('x', [n])) }));
  const compiling = cache.get(3);
  cache[Symbol.dispose]();
  const program = await compiling;
  expect(await failure(() => program.run({ x: new Float32Array(3) }))).toMatchObject({
    message: 'The program was disposed of; compile it again.',
  });
});

test('a cache whose program cannot compile is disposed of in silence', async () => {
  const cache = new ProgramCache(cpu, () => {
    throw new Error('no such graph');
  });
  expect(await failure(() => cache.get(1))).toMatchObject({ message: 'no such graph' });
  cache[Symbol.dispose]();
  await settled();
});

/** Parts of the above, or of work that owns them until its end. */
const INSIDE = [
  'Lifetime',
  'FoldedDecoder',
  'Decoding',
  'CompiledEncoder',
  'SelfTest',
  'Batches',
  'Update',
  'Validation',
  'RawFile',
  'TrainingStep',
  'ShardThreads',
  'ShardThread',
  'Numbers',
  'Eyes',
  'KeptFrames',
  'Hdf5Files',
  'Evaluation',
];
/** Tested with what it writes. */
const ELSEWHERE = ['DemonstrationWriter'];
/** A contract: who fulfils it is registered. */
const CONTRACTS = ['Environment'];

test('is a complete registry', () => {
  const src = path.join(import.meta.dirname, '../src');
  const owners = fs
    .readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...fs.readFileSync(path.join(src, name), 'utf8').matchAll(/(?:class|interface) (\w+)[^{}]*\bDisposable\b/g),
    ])
    .map(([, name]) => name);
  const registered = new Set(Object.keys(REGISTRY).map((name) => name.split(/\W/)[0]));
  expect(
    owners.filter((name) => !registered.has(name) && ![...INSIDE, ...ELSEWHERE, ...CONTRACTS].includes(name)),
  ).toEqual([]);
});
