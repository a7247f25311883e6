/** HDF5 demonstrations: the library in C, its metadata, the JSON and the numbers within. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import {
  ACTION_SIZE,
  DemonstrationWriter,
  type Episode,
  PROPRIO_SIZE,
  readDemonstrations,
  readRecording,
  readRecordingHeader,
} from '../../src/data/index.ts';
import { key, type Rng } from '../../src/random.ts';
import { demonstration, header } from '../data/synthetic.ts';
import { hunt, type Kind, notSound, PATIENCE_MS } from './battery.ts';
import { anyBytes, within } from './bytes.ts';

let whole: Buffer;
let words: number[];

beforeAll(() => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-fuzz-demos-'));
  const file = path.join(folder, 'a.hdf5');
  using writer = new DemonstrationWriter(file, header);
  for (let i = 0; i < 2; i++) writer.append(demonstration(key(i), 6 + i));
  writer.commit({ episodes: 2, seed: 0, successes: 2 });
  whole = fs.readFileSync(file);
  fs.rmSync(folder, { recursive: true });
  // Names and texts of the format and of ours, and what the library parses first.
  const texts = ['OHDR', 'SNOD', 'TREE', 'HEAP', 'FRHP', 'BTHD', 'demo_', 'actions', 'obs', 'entities', 'problem_info'];
  const found = ['language_instruction', 'bddl_file_name', 'nina_recording', 'episodes', 'successes', ...texts].flatMap(
    (text) => [...whole.toString('latin1').matchAll(new RegExp(text, 'g'))].map(({ index }) => index),
  );
  words = [0, ...found];
});

function mutate(bytes: Buffer, r: Rng): Buffer {
  if (r.int(4) === 0) return anyBytes(bytes, r);
  const at = r.int(3) === 0 ? r.int(bytes.length) : r.pick(words);
  return within(at, Math.min(bytes.length, at + r.pick([16, 64, 512])))(bytes, r);
}

const kind = (name: string, read: (file: string, index: number) => Promise<string | undefined>): Kind => ({
  name,
  files: () => ({ 'a.hdf5': whole }),
  mutate: (files, r) => ({ 'a.hdf5': mutate(files['a.hdf5']!, r) }),
  async read(folder, index) {
    try {
      return await read(path.join(folder, 'a.hdf5'), index);
    } finally {
      // Whatever the library made of it: the next file is read.
      if (index % 50 === 0) await healthy();
    }
  },
});

async function healthy(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-fuzz-whole-'));
  fs.writeFileSync(path.join(folder, 'a.hdf5'), whole);
  expect(await readDemonstrations(path.join(folder, 'a.hdf5'))).toHaveLength(2);
  fs.rmSync(folder, { recursive: true });
}

function unsound(episodes: readonly Episode[]): string | undefined {
  if (episodes.length === 0) return 'there are no episodes';
  for (const { length, actions, proprio, entities, names, categories, suite, task, instruction } of episodes) {
    if (actions.length !== length * ACTION_SIZE || proprio.length !== length * PROPRIO_SIZE) return 'lengths differ';
    if (names.length !== categories.length || entities.length !== length * 8 * names.length) return 'entities differ';
    if (actions.some((x) => !(Math.abs(x) <= 1))) return 'an action is outside [-1, 1]';
    const texts = [suite, task, instruction, ...names, ...categories];
    if (texts.some((text) => typeof text !== 'string' || /[\0\ufffd]/.test(text))) return `a text is damaged: ${texts}`;
    const wrong = notSound([actions, proprio, entities, length]);
    if (wrong) return wrong;
  }
  return undefined;
}

test.each([
  kind('demonstrations', async (file) => unsound(await readDemonstrations(file))),
  kind('recording', async (file) => {
    const { actions, states, length } = await readRecording(file, 0);
    if (actions.length !== length * ACTION_SIZE || states.length % length !== 0) return 'lengths differ';
    return notSound([actions, states, length]);
  }),
  kind('recording-header', async (file) => notSound(await readRecordingHeader(file))),
])('$name', { timeout: PATIENCE_MS }, async (one) => {
  const { read, refused } = await hunt(one);
  expect(read + refused).toBeGreaterThanOrEqual(0);
});
