/** Demonstration files: what is written is what is read, and every bad file is told by what is wrong with it. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import h5wasm from 'h5wasm/node';
import { afterAll, expect, test } from 'vitest';
import {
  type Demonstration,
  DemonstrationWriter,
  dataHash,
  readDemonstrations,
  readRecording,
  readRecordingHeader,
  type TaskHeader,
} from '../../src/data/index.ts';
import { NinaError } from '../../src/errors.ts';
import { fold, key } from '../../src/random.ts';
import { PANDA, stateSize, writeProprio } from '../../src/robot/index.ts';
import { demonstration, header } from './synthetic.ts';

/** Axis-angle and back, in float64, then rounded to float32. */
const FLOAT32_ROUNDING = 1e-6;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-data-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

async function write(name: string, demos: readonly Demonstration[], task: TaskHeader = header): Promise<string> {
  const file = path.join(folder, name);
  using writer = await DemonstrationWriter.open(file, task);
  for (const demo of demos) writer.append(demo);
  writer.commit({ seed: 7, attempts: 5 });
  return file;
}

/** Writes a good file, then lets `change` spoil it through HDF5. */
async function spoiled(name: string, change: (root: InstanceType<typeof h5wasm.File>) => void): Promise<string> {
  const file = await write(name, [demonstration(key(1), 4), demonstration(key(2), 3)]);
  const root = new h5wasm.File(file, 'a');
  change(root);
  root.close();
  return file;
}

const group = (root: InstanceType<typeof h5wasm.File>, name: string) =>
  root.get(name) as InstanceType<typeof h5wasm.Group>;

function replaceAttribute(root: InstanceType<typeof h5wasm.File>, name: string, value: string): void {
  group(root, 'data').delete_attribute(name);
  group(root, 'data').create_attribute(name, value);
}

/** The message of the NinaError that `run` throws. */
async function message(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(NinaError);
    return (error as NinaError).message;
  }
  throw new Error('no error was thrown');
}

test('reads back what was written', async () => {
  const demos = [9, 4].map((steps, i) => demonstration(fold(key(3), i), steps));
  const file = await write('round.hdf5', demos);
  const episodes = await readDemonstrations(file);
  expect(episodes.map((e) => [e.demo, e.length, e.suite, e.task, e.instruction])).toEqual([
    [0, 9, 'tabletop-object', 'pick_the_can', header.instruction],
    [1, 4, 'tabletop-object', 'pick_the_can', header.instruction],
  ]);
  for (const [i, episode] of episodes.entries()) {
    const demo = demos[i];
    expect(episode.actions).toEqual(Float32Array.from(demo.actions));
    expect(episode.poses).toEqual(demo.entities);
    expect(episode.robot).toBe(PANDA);
    expect(episode.names).toEqual(header.entityNames);
    expect(episode.categories).toEqual(header.entityCategories);
    const P = stateSize(PANDA);
    const live = new Float32Array(P);
    for (let t = 0; t < episode.length; t++) {
      writeProprio(
        demo.eefPosition.subarray(t * 3),
        demo.eefQuaternion.subarray(t * 4),
        demo.gripper.subarray(t * 2),
        live,
      );
      for (let d = 0; d < P; d++) expect(Math.abs(episode.state[t * P + d] - live[d])).toBeLessThan(FLOAT32_ROUNDING);
    }
    const recording = await readRecording(file, i);
    expect(recording.states).toEqual(demo.states);
    expect(recording.actions).toEqual(demo.actions);
    expect(recording.bddl).toBe(header.bddl);
  }
  expect(await readRecordingHeader(file)).toEqual({ seed: 7, attempts: 5 });
});

test('follows LIBERO: attributes, images upside down, quaternions x y z w', async () => {
  const demo = demonstration(key(4), 2, { images: true });
  const root = new h5wasm.File(await write('libero.hdf5', [demo]), 'r');
  const data = group(root, 'data');
  expect(data.attrs.num_demos.value).toBe(1n);
  expect(data.attrs.total.value).toBe(2n);
  expect(data.attrs.bddl_file_name.value).toBe('tabletop-object/pick_the_can.bddl');
  const first = group(root, 'data/demo_0');
  expect(first.attrs.num_samples.value).toBe(2n);
  expect(first.attrs.init_state.value).toEqual(demo.states.slice(0, 5));
  const values = (name: string) => (first.get(name) as InstanceType<typeof h5wasm.Dataset>).value as Float64Array;
  const [w, x, y, z] = demo.eefQuaternion;
  expect([...values('robot_states').subarray(5, 9)]).toEqual([x, y, z, w]);
  expect([...values('dones')]).toEqual([0, 1]);
  const row = 4 * 3;
  expect([...values('obs/agentview_rgb').subarray(0, row)]).toEqual([
    ...demo.images!.agentview.subarray(3 * row, 4 * row),
  ]);
  root.close();
});

test("LIBERO's own files read: without entities, of its robot", async () => {
  const file = await write('plain.hdf5', [demonstration(key(1), 4)]);
  // HDF5 cannot drop a dataset here: copy what LIBERO has into a new file.
  const plain = path.join(folder, 'libero-own.hdf5');
  const from = new h5wasm.File(file, 'r');
  const to = new h5wasm.File(plain, 'w');
  const data = to.create_group('data');
  data.create_attribute('bddl_file_name', 'chiliocosm/bddl_files/libero_object/pick_up_the_milk.bddl');
  data.create_attribute('problem_info', JSON.stringify({ language_instruction: ['"pick up ', 'the milk"'] }));
  const demo = data.create_group('demo_0');
  const obs = demo.create_group('obs');
  for (const [target, name] of [
    [demo, 'actions'],
    [obs, 'obs/ee_pos'],
    [obs, 'obs/ee_ori'],
    [obs, 'obs/gripper_states'],
  ] as const) {
    const source = group(from, 'data/demo_0').get(name) as InstanceType<typeof h5wasm.Dataset>;
    target.create_dataset({ name: path.basename(name), data: source.value as Float64Array, shape: source.shape });
  }
  from.close();
  to.close();
  const episodes = await readDemonstrations(plain);
  expect(episodes[0]).toMatchObject({
    suite: 'libero_object',
    task: 'pick_up_the_milk',
    instruction: 'pick up the milk',
    names: [],
  });
  expect(episodes[0].robot).toBe(PANDA);
  expect(episodes[0].poses).toHaveLength(0);
});

test('says what is wrong with a file', async () => {
  const at = (name: string) => path.join(folder, name);
  expect(await message(() => readDemonstrations(at('nowhere')))).toMatch(/nowhere does not exist/);
  fs.mkdirSync(at('void'));
  expect(await message(() => readDemonstrations(at('void')))).toMatch(/void holds no .hdf5 files/);
  fs.writeFileSync(at('empty.hdf5'), '');
  expect(await message(() => readDemonstrations(at('empty.hdf5')))).toMatch(/is empty \(0 bytes\)/);
  fs.writeFileSync(at('text.hdf5'), 'not a data file at all');
  expect(await message(() => readDemonstrations(at('text.hdf5')))).toMatch(/is not an HDF5 file/);
  const stranger = new h5wasm.File(at('stranger.hdf5'), 'w');
  stranger.create_group('elsewhere');
  stranger.close();
  expect(await message(() => readDemonstrations(at('stranger.hdf5')))).toMatch(/no group \/data.*Found: elsewhere/);
  expect(await message(async () => readDemonstrations(await write('none.hdf5', [])))).toMatch(
    /holds no demonstrations/,
  );
});

test('says which dataset is missing or misshapen', async () => {
  const missing = await spoiled('missing.hdf5', (root) => {
    group(root, 'data').create_group('demo_2').create_group('obs');
    group(root, 'data/demo_2').create_dataset({ name: 'actions', data: new Float64Array(14), shape: [2, 7] });
  });
  expect(await message(() => readDemonstrations(missing))).toMatch(
    /\/data\/demo_2 has no dataset 'obs\/ee_pos'. Found: actions/,
  );
  const shape = await spoiled('shape.hdf5', (root) => {
    group(root, 'data')
      .create_group('demo_2')
      .create_dataset({ name: 'actions', data: new Float64Array(12), shape: [2, 6] });
  });
  expect(await message(() => readDemonstrations(shape))).toMatch(
    /demo_2\/actions has shape \[2, 6\]; wanted \[any, 7\]/,
  );
  expect(await message(() => readRecording(missing, 9))).toMatch(/has no demo_9; it has demo_0 to demo_2/);
});

test('refuses actions that are not numbers in [-1, 1], and poses that are not finite', async () => {
  for (const [value, told] of [
    [Number.NaN, 'NaN'],
    [1.5, '1.5'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ] as const) {
    const demo = demonstration(key(5), 4);
    demo.actions[2 * 7 + 6] = value;
    const file = await write('actions.hdf5', [demonstration(key(6), 2), demo]);
    expect(await message(() => readDemonstrations(file))).toContain(
      `/data/demo_1/actions is ${told} at step 2, dimension 6 (gripper); every action must be a number in [-1, 1].`,
    );
  }
  const demo = demonstration(key(5), 4);
  demo.entities[24 + 5] = Number.NaN;
  expect(await message(async () => readDemonstrations(await write('pose.hdf5', [demo])))).toContain(
    'obs/entities is NaN at step 1, entry 5',
  );
});

test('a file cut anywhere is a NinaError, never a crash', async () => {
  const file = await write('whole.hdf5', [demonstration(key(8), 6, { images: true })]);
  const bytes = fs.readFileSync(file);
  const cut = path.join(folder, 'cut.hdf5');
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
      fs.writeFileSync(cut, bytes.subarray(0, length));
      expect(await message(() => readDemonstrations(cut))).toMatch(/is empty|is truncated/);
    }),
    { numRuns: 150, seed: 1 },
  );
});

test('a file with overwritten bytes reads or is a NinaError, and later files still read', async () => {
  const file = await write('intact.hdf5', [demonstration(key(8), 6)]);
  const bytes = fs.readFileSync(file);
  const hurt = path.join(folder, 'hurt.hdf5');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: bytes.length - 64 }),
      fc.uint8Array({ minLength: 64, maxLength: 64 }),
      async (at, junk) => {
        const copy = Buffer.from(bytes);
        copy.set(junk, at);
        fs.writeFileSync(hurt, copy);
        try {
          await readDemonstrations(hurt);
        } catch (error) {
          expect(error).toBeInstanceOf(NinaError);
        }
        expect(await readDemonstrations(file)).toHaveLength(1);
      },
    ),
    { numRuns: 100, seed: 2 },
  );
});

test('an abandoned file leaves nothing behind, and keeps the old one', async () => {
  const inside = path.join(folder, 'abandoned');
  const file = path.join(inside, 'task.hdf5');
  {
    using writer = await DemonstrationWriter.open(file, header);
    writer.append(demonstration(key(1), 3));
  }
  expect(fs.readdirSync(inside)).toEqual([]);
});

test('the hash follows content, not names', async () => {
  const demos = [demonstration(key(1), 5)];
  const hash = dataHash(await readDemonstrations(await write('one.hdf5', demos)));
  expect(dataHash(await readDemonstrations(await write('two.hdf5', demos)))).toBe(hash);
  demos[0].actions[3] = 0.25;
  expect(dataHash(await readDemonstrations(await write('three.hdf5', demos)))).not.toBe(hash);
});

test.each([
  [['put', 'the', 'bowl'], 'put the bowl'],
  [['put the bowl', ' on it'], 'put the bowl on it'],
  [['p', 'u', 't', ' ', 'i', 't'], 'put it'],
])('an instruction in pieces %j is %j', async (pieces, instruction) => {
  const file = await spoiled(`pieces-${pieces.length}-${pieces[0].length}.hdf5`, (root) => {
    replaceAttribute(root, 'problem_info', JSON.stringify({ language_instruction: pieces }));
  });
  expect((await readDemonstrations(file))[0].instruction).toBe(instruction);
});

test('pieces of an instruction that are no text are an error, not [object Object]', async () => {
  const file = await spoiled('pieces-of-objects.hdf5', (root) => {
    replaceAttribute(root, 'problem_info', JSON.stringify({ language_instruction: [{ put: 1 }] }));
  });
  expect(await message(() => readDemonstrations(file))).toContain("names no 'language_instruction'");
});

test('a bddl_file_name that names no task is an error', async () => {
  const file = await spoiled('no-task.hdf5', (root) => {
    replaceAttribute(root, 'bddl_file_name', '/');
  });
  expect(await message(() => readDemonstrations(file))).toContain('names no task');
});

test('a group of actions that is not named demo_N is left out with a notice', async () => {
  const file = await spoiled('Demo_9.hdf5', (root) => {
    group(root, 'data')
      .create_group('Demo_9')
      .create_dataset({ name: 'actions', data: new Float32Array(7), shape: [1, 7] });
  });
  const notices: string[] = [];
  expect(await readDemonstrations(file, (text) => notices.push(text))).toHaveLength(2);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain('/data/Demo_9');
});
