/** What training says of its data before it starts, and what it refuses without leaving a trace. */
import * as fs from 'node:fs';
import { expect, test } from 'vitest';
import { fold, key } from '../../src/random.ts';
import { loadDemonstrations } from '../../src/train/dataset.ts';
import { nina } from '../cli/nina.ts';
import { message } from '../data/message.ts';
import { edit, workshop } from '../data/opened.ts';
import { demonstration, header } from '../data/synthetic.ts';

const { at, write } = workshop('dataset');
/** Demonstrations with unit quaternions. */
const demos = (seed: number, count: number) =>
  Array.from({ length: count }, (_, i) => {
    const demo = demonstration(fold(key(seed), i), 4);
    for (let e = 0; e < demo.entities.length; e += 8) demo.entities.set([1, 0, 0, 0], e + 3);
    return demo;
  });

async function load(file: string) {
  const notices: string[] = [];
  return { ...(await loadDemonstrations(file, { name: 'state' }, {}, 1, 0.25, (text) => notices.push(text))), notices };
}

test('data without peculiarities is loaded without a word', async () => {
  expect((await load(await write('plain.hdf5', demos(1, 4)))).notices).toEqual([]);
});

test('masks are the split, and what is in neither is left out', async () => {
  const file = await edit(await write('masked.hdf5', demos(1, 4)), (root) => {
    const mask = root.create_group('mask');
    mask.create_dataset({ name: 'train', data: ['demo_3', 'demo_1'], shape: [2], dtype: 'S' });
    mask.create_dataset({ name: 'valid', data: ['demo_0'], shape: [1], dtype: 'S6' });
  });
  const { train, validation, notices } = await load(file);
  expect(train.episodes.map(({ demo }) => demo)).toEqual([1, 3]);
  expect(validation.episodes.map(({ demo }) => demo)).toEqual([0]);
  expect(train.windows).toHaveLength(8);
  expect(notices).toEqual([
    "The split is that of the files' own masks: 2 for training, 1 for validation, 1 in neither are left out.",
  ]);
});

test('implausible numbers are said once each', async () => {
  const millimetres = demos(2, 4);
  for (const demo of millimetres) {
    demo.eefPosition.forEach((x, i) => {
      demo.eefPosition[i] = 1000 * x;
    });
    for (let t = 0; t < 4; t++) demo.actions[7 * t + 6] = t % 2;
  }
  const { notices } = await load(await write('millimetres.hdf5', millimetres));
  expect(notices).toHaveLength(2);
  expect(notices[0]).toMatch(
    /^4 of 4 demonstrations have gripper actions that are never below 0.*millimetres.hdf5#demo_0\)\.$/,
  );
  expect(notices[1]).toMatch(/^4 of 4 demonstrations have end-effector positions beyond 10 m/);
});

test('an instruction without words is refused by name, and no run is left', async () => {
  const file = await write('silent.hdf5', demos(3, 2), { ...header, instruction: '?!' });
  expect(await message(() => load(file))).toContain(`${file}#demo_0: the instruction "?!" holds no word`);
  const outcome = nina('train', '--data', file, '--out', at('run'), '--max_steps', 1);
  expect(outcome.code).toBe(1);
  expect(outcome.stderr).toContain('the instruction "?!" holds no word');
  expect(fs.existsSync(at('run'))).toBe(false);
});
