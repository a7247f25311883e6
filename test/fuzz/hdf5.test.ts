/** HDF5 demonstrations: the library in C, its metadata, the JSON and the numbers within. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { type Episode, readDemonstrations, readRecording, readRecordingHeader } from '../../src/data/index.ts';
import type { Rng } from '../../src/random.ts';
import { actionSize, PANDA, stateSize } from '../../src/robot/index.ts';
import { hunt, type Kind, notSound, PATIENCE_MS } from './battery.ts';
import { anyBytes, within } from './bytes.ts';

/** Two demonstrations of made-up numbers, as an earlier version of `nina demos` wrote them. */
const whole = fs.readFileSync(path.join(import.meta.dirname, 'two-demonstrations.hdf5'));

/** Where names and texts of the format and of ours are, and what the library parses first. */
const words = [
  0,
  ...['OHDR', 'SNOD', 'TREE', 'HEAP', 'GCOL', 'FRHP', 'BTHD', 'demo_', 'actions', 'obs', 'entities', 'problem_info']
    .concat(['language_instruction', 'bddl_file_name', 'nina_recording', 'episodes', 'successes'])
    .flatMap((text) => [...whole.toString('latin1').matchAll(new RegExp(text, 'g'))].map(({ index }) => index)),
];

function mutate(bytes: Buffer, r: Rng): Buffer {
  if (r.int(4) === 0) return anyBytes(bytes, r);
  const at = r.int(3) === 0 ? r.int(bytes.length) : r.pick(words);
  return within(at, Math.min(bytes.length, at + r.pick([16, 64, 512])))(bytes, r);
}

const kind = (name: string, read: (file: string, index: number) => Promise<string | undefined>): Kind => ({
  name,
  files: () => ({ 'a.hdf5': whole }),
  mutate: (files, r) => ({ 'a.hdf5': mutate(files['a.hdf5'], r) }),
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
  for (const { length, actions, state, poses, names, categories, suite, task, instruction } of episodes) {
    if (actions.length !== length * actionSize(PANDA) || state.length !== length * stateSize(PANDA))
      return 'lengths differ';
    if (names.length !== categories.length || poses.length !== length * 8 * names.length) return 'entities differ';
    if (actions.some((x) => !(Math.abs(x) <= 1))) return 'an action is outside [-1, 1]';
    const texts = [suite, task, instruction, ...names, ...categories];
    if (texts.some((text) => typeof text !== 'string' || /[\0\ufffd]/.test(text))) return `a text is damaged: ${texts}`;
    const wrong = notSound([actions, state, poses, length]);
    if (wrong) return wrong;
  }
  return undefined;
}

test.each([
  kind('demonstrations', async (file) => unsound(await readDemonstrations(file))),
  kind('recording', async (file) => {
    const { actions, states, length } = await readRecording(file, 0);
    if (actions.length !== length * actionSize(PANDA) || states.length % length !== 0) return 'lengths differ';
    return notSound([actions, states, length]);
  }),
  kind('recording-header', async (file) => notSound(await readRecordingHeader(file))),
])('$name', { timeout: PATIENCE_MS }, async (one) => {
  const { read, refused } = await hunt(one);
  expect(read + refused).toBeGreaterThanOrEqual(0);
});
