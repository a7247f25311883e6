/** Demonstrations as they occur: what is put right is said, what is wrong is told by name, none counts twice. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskOf } from '../../src/data/header.ts';
import {
  dataHash,
  type Episode,
  plausibility,
  readDemonstrations,
  readRecording,
  splitByMasks,
} from '../../src/data/index.ts';
import { fold, key } from '../../src/random.ts';
import { actionSize, PANDA } from '../../src/robot/index.ts';
import { message } from './message.ts';
import { type Dataset, edit, type Group, workshop } from './opened.ts';
import { demonstration, header } from './synthetic.ts';

const { at, write, spoiled } = workshop('reader');
const told = (...sources: string[]) => message(() => readDemonstrations(sources));
const three = () => [0, 1, 2].map((i) => demonstration(fold(key(9), i), 4));

/** Moves a demonstration to another name by a hard link; the old name stays. */
const link = (root: Group, from: string, to: string) => root.create_hard_link(from, to);

test('demonstrations are told apart by the number in their names', async () => {
  const file = await spoiled('padded.hdf5', [4, 3], (root) => {
    const data = root.get('data') as Group;
    data.create_group('demo_007').create_group('obs');
    const group = data.get('demo_007') as Group;
    const from = data.get('demo_0') as Group;
    for (const name of ['actions', 'obs/ee_pos', 'obs/ee_ori', 'obs/gripper_states']) {
      const { value, shape } = from.get(name) as Dataset;
      const numbers = Float64Array.from(value as Float64Array, (x) => x / 2);
      const target = name.startsWith('obs/') ? (group.get('obs') as Group) : group;
      target.create_dataset({ name: path.basename(name), data: numbers, shape });
    }
  });
  const episodes = await readDemonstrations(file);
  expect(episodes.map(({ demo }) => demo)).toEqual([0, 1, 7]);
  expect((await message(() => readRecording(file, 5))).slice(file.length)).toBe(
    ' has no demo_5; it has demo_0 to demo_7 (3).',
  );
  await edit(file, (root) => link(root, '/data/demo_1', '/data/demo_01'));
  expect(await told(file)).toContain('/data holds both demo_01 and demo_1, which are one number');
});

test('a demonstration is a group, and a link has a target', async () => {
  const dataset = await spoiled('dataset.hdf5', [4], (root) => {
    (root.get('data') as Group).create_dataset({ name: 'demo_1', data: new Float64Array(7), shape: [1, 7] });
  });
  expect(await told(dataset)).toContain('/data/demo_1 is a dataset; a demonstration is a group');
  const soft = await spoiled('soft.hdf5', [4], (root) => root.create_soft_link('/data/demo_9', '/data/demo_1'));
  expect(await told(soft)).toContain("/data/demo_1 is a link to '/data/demo_9', which is not there");
  const away = await spoiled('away.hdf5', [4], (root) =>
    root.create_external_link('gone.hdf5', '/data/demo_0', '/data/demo_1'),
  );
  expect(await told(away)).toContain("/data/demo_1 is a link to '/data/demo_0' in gone.hdf5, which is not there");
});

test('demonstrations of other names are named', async () => {
  const file = await edit(await write('names.hdf5', []), (root) =>
    (root.get('data') as Group).create_group('episode_0'),
  );
  expect(await told(file)).toContain('holds no demonstrations: /data has no group demo_0. Found: episode_0.');
});

test('an external link to a demonstration reads', async () => {
  await write('target.hdf5', [demonstration(key(20), 5)]);
  const file = await spoiled('linking.hdf5', [4], (root) =>
    root.create_external_link('target.hdf5', '/data/demo_0', '/data/demo_1'),
  );
  const episodes = await readDemonstrations(file);
  expect(episodes.map(({ length }) => length)).toEqual([4, 5]);
  const [target] = await readDemonstrations(at('target.hdf5'));
  expect(episodes[1].actions).toEqual(target.actions);
});

test('a demonstration that is there twice is refused, wherever its copies lie', async () => {
  for (const [name, make] of [
    ['hard', link],
    ['soft', (root: Group, from: string, to: string) => root.create_soft_link(from, to)],
  ] as const) {
    const file = await spoiled(`${name}-twice.hdf5`, [4, 3], (root) => make(root, '/data/demo_0', '/data/demo_2'));
    expect(await told(file)).toContain(`${file}: demo_0 and ${file}: demo_2 are the same demonstration`);
  }
  const [one, two] = [
    await write('copy/one.hdf5', three()),
    await write('copy/two.hdf5', [demonstration(key(3), 3), three()[1]]),
  ];
  expect(await told(at('copy'))).toContain(`${one}: demo_1 and ${two}: demo_1 are the same demonstration`);
  // Equal numbers under another instruction are another demonstration.
  await write('words/one.hdf5', three());
  await write('words/two.hdf5', three(), { ...header, instruction: 'put the can away' });
  expect(await readDemonstrations(at('words'))).toHaveLength(6);
});

test('every dataset of a demonstration has one row per step', async () => {
  for (const [name, dataset] of [
    ['fewer', { name: 'obs/extra', data: new Float64Array(3 * 2), shape: [3, 2] }],
    ['more', { name: 'obs/agentview_rgb', data: new Uint8Array(5 * 12), shape: [5, 2, 2, 3] }],
  ] as const) {
    const file = await spoiled(`${name}.hdf5`, [4], (root) => {
      (root.get('data/demo_0/obs') as Group).create_dataset({
        ...dataset,
        name: path.basename(dataset.name),
        shape: [...dataset.shape],
      });
    });
    expect(await told(file)).toContain(
      `/data/demo_0/${dataset.name} has ${dataset.shape[0]} rows, but ${file}: /data/demo_0/actions has 4`,
    );
  }
});

test('numbers beyond float32 and states that are not finite are refused', async () => {
  const far = demonstration(key(5), 4);
  far.eefPosition[4] = 1e39;
  expect(await told(await write('far.hdf5', [far]))).toContain(
    'obs/ee_pos is 1e+39 at step 1, entry 1; every entry must be a finite number of float32.',
  );
  const lost = demonstration(key(5), 4);
  lost.states.fill(Number.NaN, 10);
  const file = await write('lost.hdf5', [lost]);
  expect(await message(() => readRecording(file, 0))).toContain('/data/demo_0/states is NaN at step 2, entry 0');
});

test('an action that rounding took beyond 1 is a 1, which is said', async () => {
  const demo = demonstration(key(5), 4);
  demo.actions[9] = 1 + 2 ** -23;
  demo.actions[13] = -1 - 5e-7;
  const file = await write('rounded.hdf5', [demo]);
  const notices: string[] = [];
  const [episode] = await readDemonstrations(file, (text) => notices.push(text));
  expect([episode.actions[9], episode.actions[13]]).toEqual([1, -1]);
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain(
    '2 actions are beyond the range by no more than the rounding of float32 and taken as its bound',
  );
  expect(notices[0]).toContain(`first: ${file}: /data/demo_0/actions is ${1 + 2 ** -23} at step 1`);
  demo.actions[9] = 1.00001;
  expect(await told(await write('beyond.hdf5', [demo]))).toContain('is 1.00001 at step 1, dimension 2');
});

test('the hash of data without masks is what it was: runs go on', async () => {
  // dataHash of version 0.1.0 over this file.
  expect(dataHash(await readDemonstrations(await write('hash.hdf5', three())))).toBe(
    'a37d2e4911b16e51149b2337c3e087de263d8dd314603c35d1c923090494eb00',
  );
});

/** Adds robomimic's masks to a file. */
const mask = (file: string, lists: Readonly<Record<string, readonly string[]>>, group = 'mask') =>
  edit(file, (root) => {
    const to = root.create_group(group);
    for (const [name, list] of Object.entries(lists))
      to.create_dataset({ name, data: [...list], shape: [list.length], dtype: 'S8' });
  });

test("robomimic's masks say where a demonstration belongs", async () => {
  for (const group of ['mask', 'data/mask']) {
    const plain = await write(`${path.dirname(group)}-masked.hdf5`, three());
    const hash = dataHash(await readDemonstrations(plain));
    await mask(plain, { train: ['demo_2', 'demo_0'], valid: ['demo_1'], '20_percent': ['demo_0'] }, group);
    const episodes = await readDemonstrations(plain);
    expect(episodes.map(({ split }) => split)).toEqual(['train', 'valid', 'train']);
    expect(dataHash(episodes)).not.toBe(hash);
    const notices: string[] = [];
    const { train, validation } = splitByMasks(episodes, (text) => notices.push(text))!;
    expect([train, validation].map((part) => part.map(({ demo }) => demo))).toEqual([[0, 2], [1]]);
    expect(notices).toEqual(["The split is that of the files' own masks: 2 for training, 1 for validation."]);
  }
  const plain = await readDemonstrations(await write('unmasked.hdf5', three()));
  expect(splitByMasks(plain, expect.unreachable)).toBe(undefined);
});

test('masks that say nothing, too much or something else', async () => {
  let n = 0;
  const masked = async (lists: Readonly<Record<string, readonly string[]>>) =>
    mask(
      await write(
        `masks/${n++}.hdf5`,
        [0, 1, 2].map((i) => demonstration(fold(key(n), i), 3)),
      ),
      lists,
    );
  expect(await told(await masked({ train: ['demo_0'] }))).toContain("/mask has the list 'train' but not 'valid'");
  expect(await told(await masked({ train: ['demo_0'], valid: ['demo_7'] }))).toMatch(
    /mask\/valid lists 'demo_7', but .*\/data has no/,
  );
  expect(await told(await masked({ train: ['demo_0', 'demo_1'], valid: ['demo_1'] }))).toContain(
    "/mask lists demo_1 both in 'train' and in 'valid'",
  );
  const part = await masked({ train: ['demo_0'], valid: ['demo_1'] });
  const notices: string[] = [];
  splitByMasks(await readDemonstrations(part), (text) => notices.push(text));
  expect(notices[0]).toContain('1 for training, 1 for validation, 1 in neither are left out.');
  const without = await write('masks/none.hdf5', three());
  const both = await readDemonstrations([part, without]);
  expect(await message(() => splitByMasks(both, () => {}))).toContain(
    `${part} says which demonstrations are for training (mask/train, mask/valid) and ${without} does not`,
  );
  const train = both.slice(0, 1);
  expect(await message(() => splitByMasks(train, () => {}))).toContain(`No demonstration is in mask/valid of ${part}`);
});

test.each([
  ['libero_goal/open_it.bddl', 'libero_goal', 'open_it'],
  ['/a/b/libero_goal/open_it.bddl', 'libero_goal', 'open_it'],
  ['C:\\data\\libero_goal\\open_it.bddl', 'libero_goal', 'open_it'],
  ['C:/data/libero_goal\\open_it.bddl', 'libero_goal', 'open_it'],
  ['\\\\server\\share\\libero_goal\\open_it.bddl\\', 'libero_goal', 'open_it'],
  ['libero_goal\\.\\open_it.BDDL', 'libero_goal', 'open_it'],
  ['C:open_it.bddl', '.', 'open_it'],
])('%s is a task of a suite', (file, suite, task) => {
  expect(taskOf(file)).toEqual({ suite, task });
});

test('what is written as instruction and names is read, whatever it is', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('"the red one"', '""', '"', 'a\nb', '"a" and "b"', '把"碗"放下', '👩‍🚀', '\\"', ' padded '),
  );
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((s) => !s.includes('\0'));
  await fc.assert(
    fc.asyncProperty(text, fc.array(name, { minLength: 3, maxLength: 3 }), async (instruction, entityNames) => {
      const file = await write('words.hdf5', [demonstration(key(1), 2)], { ...header, instruction, entityNames });
      const [episode] = await readDemonstrations(file);
      expect(episode).toMatchObject({ instruction, names: entityNames });
    }),
    { numRuns: 60, seed: 4 },
  );
});

test('equal recordings are equal files, whenever they are made', async () => {
  const demos = [3, 5].map((steps, i) => demonstration(fold(key(2), i), steps, { images: true }));
  const first = fs.readFileSync(await write('now.hdf5', demos));
  await setTimeout(1100);
  expect(fs.readFileSync(await write('later.hdf5', demos)).equals(first)).toBe(true);
});

test('implausible numbers are told in one sentence each', () => {
  const episode = (change: (e: Episode) => void = () => {}): Episode => {
    const made: Episode = {
      ...{
        file: 'a.hdf5',
        demo: 4,
        suite: 's',
        task: 't',
        instruction: 'i',
        length: 2,
        names: ['x'],
        categories: ['x'],
        robot: PANDA,
        views: {},
      },
      actions: new Float32Array(2 * actionSize(PANDA)).fill(-1),
      state: new Float32Array(22).fill(0.5),
      poses: Float32Array.from([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0.6, 0.8, 0, 0]),
    };
    change(made);
    return made;
  };
  const good = episode();
  expect(plausibility([good])).toEqual([]);
  // A gripper that is held, or closed, throughout is none that says 0 for open.
  expect(plausibility([episode(({ actions }) => actions.fill(0)), episode(({ actions }) => actions.fill(1))])).toEqual(
    [],
  );
  const findings = plausibility([
    good,
    episode(({ actions }) => actions.set([0], 6) ?? actions.set([1], 13)),
    episode(({ state }) => state.set([-450], 1)),
    episode(({ poses }) => poses.set([900], 8)),
    episode(({ poses }) => poses.set([0.2], 3)),
  ]);
  expect(findings).toHaveLength(4);
  expect(findings[0]).toBe(
    '1 of 5 demonstrations have gripper actions that are never below 0, as if 0 opened and 1 closed; -1 opens, +1 closes and 0 holds (first: a.hdf5#demo_4).',
  );
  expect(findings[1]).toContain('end-effector positions beyond 10 m, which looks like millimetres');
  expect(findings[2]).toContain('entity positions beyond 10 m');
  expect(findings[3]).toContain('entity quaternions that are not of length 1');
});
