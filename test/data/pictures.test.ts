/** Single pictures in any order: those of slices, whatever the layout, with few files open and nothing kept of what was read. */
import * as fs from 'node:fs';
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import { expect, test } from 'vitest';
import { type EpisodeHeader, openDemonstrations, openPictures } from '../../src/data/index.ts';
import { fold, key, rng } from '../../src/random.ts';
import { message } from './message.ts';
import { type Dataset, edit, type Group, workshop } from './opened.ts';
import { demonstration } from './synthetic.ts';

const { at, write } = workshop('pictures');
const demo = (seed: number, steps = 5) => demonstration(fold(key(2), seed), steps, { images: true });

const MIXED = [7, 4];
/** A file whose pictures are also there in other layouts, as views of their own. */
async function mixed(name: string): Promise<string> {
  const file = await write(
    name,
    MIXED.map((steps, i) => demo(i, steps)),
  );
  return edit(file, (root) => {
    for (const [i, steps] of MIXED.entries()) {
      const obs = root.get(`data/demo_${i}/obs`) as Group;
      const data = (obs.get('agentview_rgb') as Dataset).value as Uint8Array;
      const shape = [steps, 4, 4, 3];
      obs.create_dataset({ name: 'whole_rgb', data, shape });
      obs.create_dataset({ name: 'pieces_rgb', data, shape, chunks: [3, 3, 2, 3], compression: 'gzip' });
      obs.create_dataset({ name: 'raw_rgb', data, shape, chunks: [2, 4, 4, 3] });
      obs.create_dataset({ name: 'numbers_rgb', data: Float32Array.from(data), shape, dtype: '<f' });
      obs.create_dataset({ name: 'wrong_rgb', data: Float32Array.from(data, (x) => x + 0.5), shape, dtype: '<f' });
    }
  });
}

test('each picture is that of the slice, in any order and layout', async () => {
  const source = await openDemonstrations(await mixed('mixed.hdf5'));
  const views = ['agentview', 'eye_in_hand', 'numbers', 'pieces', 'raw', 'whole'];
  using pictures = await openPictures();
  const slices = await Promise.all(source.headers.map(({ length }, i) => source.frames(i, 0, length, views)));
  const r = rng(key(4));
  for (let i = 0; i < 200; i++) {
    const episode = r.int(MIXED.length);
    const [step, view] = [r.int(MIXED[episode]), r.pick(views)];
    const found = pictures.read(source.headers[episode], view, step);
    expect(found).toEqual(slices[episode].images![view][step]);
    const first = view === 'eye_in_hand' ? view : 'agentview';
    expect(found).toEqual(slices[episode].images![first][step]);
  }
  expect(slices[0].images!.agentview[3].data).toEqual(demo(0, 7).images!.agentview.slice(3 * 48, 4 * 48));
});

test('pictures that say so have row 0 at the top', async () => {
  const file = await edit(await write('opencv.hdf5', [demo(1)]), (root) => {
    const data = root.get('data') as Group;
    data.delete_attribute('macros_image_convention');
    data.create_attribute('macros_image_convention', 'opencv');
  });
  const { headers } = await openDemonstrations([await write('opengl.hdf5', [demo(1)]), file]);
  using pictures = await openPictures();
  const [usual, turned] = headers.map((header) => pictures.read(header, 'agentview', 2).data);
  const rows = Array.from({ length: 4 }, (_, y) => [...turned.subarray(y * 12, (y + 1) * 12)]);
  expect(rows.reverse().flat()).toEqual([...usual]);
});

/** Handles of this process, where the system tells. */
const handles = () => (fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : 0);

test('few files are open at once, and none in the end', async () => {
  const files = await Promise.all(Array.from({ length: 7 }, (_, i) => write(`many-${i}.hdf5`, [demo(i)])));
  const { headers } = await openDemonstrations(files);
  const before = handles();
  {
    using pictures = await openPictures(3);
    const r = rng(key(6));
    for (let i = 0; i < 300; i++) {
      const file = r.int(files.length);
      const { data } = pictures.read(headers[file], 'eye_in_hand', r.int(5));
      expect(data.length).toBe(48);
      expect(pictures.open).toBeLessThanOrEqual(3);
      // Each is open to the library and to our own reader.
      expect(handles()).toBeLessThanOrEqual(before + 2 * 3);
    }
    expect(pictures.open).toBe(3);
  }
  expect(handles()).toBe(before);
});

test('the file that was read last stays open', async () => {
  const files = await Promise.all(Array.from({ length: 3 }, (_, i) => write(`last-${i}.hdf5`, [demo(i)])));
  const { headers } = await openDemonstrations(files);
  using pictures = await openPictures(2);
  const read = (i: number) => pictures.read(headers[i], 'agentview', 0);
  read(0);
  read(1);
  read(0);
  read(2);
  // What is gone can only be read while it is open.
  for (const file of files) fs.rmSync(file);
  expect([read(0), read(2)].map(({ width }) => width)).toEqual([4, 4]);
  expect(await message(() => read(1))).toBe(`${files[1]} does not exist.`);
});

const collect = () => {
  v8.setFlagsFromString('--expose-gc');
  vm.runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** An epoch is 12,000 pictures here; were each kept, they would be 3 MB with what holds them. */
const EPOCH_BYTES = 2 ** 20;

test('a second epoch takes no memory that the first did not', async () => {
  const file = await write('long.hdf5', Array(60).fill(demo(8, 100)));
  const { headers } = await openDemonstrations(file);
  using pictures = await openPictures();
  const epoch = () => {
    for (const header of headers)
      for (let step = 0; step < header.length; step++)
        for (const view of ['agentview', 'eye_in_hand']) pictures.read(header, view, step);
    return collect();
  };
  epoch();
  const first = epoch();
  expect(epoch() - first).toBeLessThan(EPOCH_BYTES);
});

test('what is not there is told, and what is there is read after it', async () => {
  const file = await mixed('told.hdf5');
  const { headers } = await openDemonstrations(file);
  using pictures = await openPictures();
  const told = (change: Partial<EpisodeHeader>, view = 'agentview', step = 1) =>
    message(() => pictures.read({ ...headers[0], ...change }, view, step));
  const good = pictures.read(headers[0], 'agentview', 1);
  expect(await told({}, 'agentview', 7)).toBe(`${file}#demo_0 has the steps 0 to 6; steps 7 to 7 were asked for.`);
  expect(await told({}, 'front')).toContain("/data/demo_0 has no pictures of the view 'front'. It has: agentview, ");
  expect(await told({ demo: 9 })).toBe(`${file} has no demo_9; it has demo_0 to demo_1 (2).`);
  expect(await told({ length: 8 })).toContain('obs/agentview_rgb has shape [7, 4, 4, 3]; wanted [8, 4, 4, 3].');
  expect(await told({}, 'wrong')).toMatch(/obs\/wrong_rgb holds [\d.]+; a picture's numbers are 0 to 255\.$/);
  expect(await told({ file: at('none.hdf5') })).toBe(`${at('none.hdf5')} does not exist.`);
  expect(pictures.read(headers[0], 'agentview', 1)).toEqual(good);
});

test('a damaged picture is told, and the others are read', async () => {
  const file = await write('damaged.hdf5', [demo(3)]);
  const { headers } = await openDemonstrations(file);
  const bytes = fs.readFileSync(file);
  const streams = [...bytes.keys()].filter((i) => bytes[i] === 0x78 && bytes[i + 1] === 0x5e);
  bytes.fill(0xff, streams[0], streams[0] + 20);
  fs.writeFileSync(file, bytes);
  using pictures = await openPictures();
  const answers = await Promise.all(
    [0, 1, 2, 3, 4].flatMap((step) =>
      ['agentview', 'eye_in_hand'].map((view) =>
        Promise.resolve()
          .then(() => pictures.read(headers[0], view, step).data.length)
          .catch((error) => error.message),
      ),
    ),
  );
  expect(answers.filter((answer) => answer === 48)).toHaveLength(9);
  expect(answers.find((answer) => answer !== 48)).toMatch(/damaged\.hdf5: .*_rgb is damaged and cannot be read: /);
});
