/** Demonstrations as a lazy source: headers at once, slices when they are asked for, pictures never all at once. */
import { expect, test } from 'vitest';
import { loadEpisodes, observationAt, openDemonstrations, readDemonstrations } from '../../src/data/index.ts';
import { fold, key } from '../../src/random.ts';
import { message } from './message.ts';
import { workshop } from './opened.ts';
import { demonstration } from './synthetic.ts';

const { write } = workshop('source');
const demos = [5, 7].map((steps, i) => demonstration(fold(key(5), i), steps, { images: true }));
/** Everything that an object reaches, typed arrays included. */
function* reached(value: unknown): Generator<unknown> {
  yield value;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  for (const member of Object.values(value)) yield* reached(member);
}
const bytesIn = (value: unknown) =>
  [...reached(value)].reduce((n: number, one) => n + (one instanceof Uint8Array ? one.length : 0), 0);

test('headers say what there is, and hold no numbers', async () => {
  const { headers } = await openDemonstrations(await write('headers.hdf5', demos));
  expect(headers.map(({ demo, length, categories }) => [demo, length, categories.length])).toEqual([
    [0, 5, 3],
    [1, 7, 3],
  ]);
  expect(headers[0].views).toEqual({ agentview: { width: 4, height: 4 }, eye_in_hand: { width: 4, height: 4 } });
  expect([...reached(headers)].some((one) => ArrayBuffer.isView(one))).toBe(false);
});

test('a slice is those rows of the whole, and the pictures of the views that are asked for, the right way up', async () => {
  const source = await openDemonstrations(await write('slices.hdf5', demos));
  const whole = await loadEpisodes(source, expect.unreachable);
  const rows = await source.frames(1, 2, 5, ['eye_in_hand']);
  const { actions, state, poses } = whole[1];
  expect(rows.actions).toEqual(actions.slice(2 * 7, 5 * 7));
  expect(rows.state).toEqual(state.slice(2 * 11, 5 * 11));
  expect(rows.poses).toEqual(poses.slice(2 * 24, 5 * 24));
  expect(Object.keys(rows.images!)).toEqual(['eye_in_hand']);
  const size = 4 * 4 * 3;
  const recorded = demos[1].images!.eyeInHand;
  expect(rows.images!.eye_in_hand.map(({ data }) => data)).toEqual(
    [2, 3, 4].map((t) => recorded.slice(t * size, (t + 1) * size)),
  );
  expect(bytesIn(rows)).toBe(3 * size);
});

test('numbers of all episodes hold no picture', async () => {
  const file = await write('numbers.hdf5', demos);
  const source = await openDemonstrations(file);
  expect(bytesIn(await loadEpisodes(source, expect.unreachable))).toBe(0);
  expect(bytesIn(source)).toBe(0);
  expect((await readDemonstrations(file))[0].images).toBe(undefined);
});

test('an observation is the same from the whole and from a slice', async () => {
  const source = await openDemonstrations(await write('observations.hdf5', demos));
  const [episode] = await loadEpisodes(source, expect.unreachable);
  const rows = await source.frames(0, 3, 5, ['agentview']);
  const { images, ...observation } = observationAt(source.headers[0], rows, 1);
  expect(observation).toEqual(observationAt(episode, episode, 4));
  expect(observation.state).toHaveLength(11);
  expect(observation.entities!.poses).toHaveLength(24);
  expect(images!.agentview).toMatchObject({ width: 4, height: 4 });
  const size = 4 * 4 * 3;
  expect(images!.agentview.data).toEqual(demos[0].images!.agentview.slice(4 * size, 5 * size));
});

test('steps and views that are not there are named', async () => {
  const file = await write('beyond.hdf5', demos);
  const source = await openDemonstrations(file);
  expect(await message(() => source.frames(0, 3, 6))).toBe(
    `${file}#demo_0 has the steps 0 to 4; steps 3 to 5 were asked for.`,
  );
  expect(await message(() => source.frames(0, 0, 1, ['wrist']))).toBe(
    `${file}: /data/demo_0 has no pictures of the view 'wrist'. It has: agentview, eye_in_hand.`,
  );
});
