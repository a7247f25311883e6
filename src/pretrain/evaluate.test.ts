/** What is reported of an encoder that knows everything, and of one that is wrong by a known amount. */
import { expect, test } from 'vitest';
import { madeUpScene, TINY, tokenizerJson } from '../../test/support/pretrain.ts';
import { openTokenizer } from '../encoders/florence2/words.ts';
import { arraysOf } from './arrays.ts';
import { type Judged, summarise } from './evaluate.ts';
import { type Example, withHand } from './examples.ts';
import { writeExample } from './write.ts';

const shape = { encoder: TINY, names: 4, phrases: 2 };
const scene = withHand(madeUpScene());
const example: Example = {
  ...{ scene, names: ['bowl', 'plate', 'milk', 'basket'], phrases: scene.phrases, shifts: [] },
  isDropped: () => false,
};
const [K, V, C] = [4, 2, 17];
/** Float32 of tenths of a metre, in centimetres; of cells, in pixels. */
const TOLERANCE = 1e-4;

/** Answers of one who was told what is right, moved by so many cells to the right. */
function perfect(cellsAside = 0): Judged {
  const arrays = arraysOf(shape, 1) as Record<string, Float32Array>;
  writeExample(shape, openTokenizer(tokenizerJson()), example, arrays, 0);
  const names = new Float32Array(K * 3 * V * C);
  const size = V * C;
  for (let k = 0; k < K; k++) {
    names.set(arrays['name.cells'].subarray(k * size, (k + 1) * size), 3 * k * size);
    names.set(arrays['name.offsets'].subarray(2 * k * size, 2 * (k + 1) * size), (3 * k + 1) * size);
    for (let i = 0; i < size; i++) names[(3 * k + 1) * size + i] += cellsAside;
  }
  const readout = arrays['readout.wanted'];
  return { truths: [example], said: { names, mean: readout, flow: readout } };
}

test('a perfect encoder has no error', () => {
  const { scenes, views, readout } = summarise(shape, [perfect()], [perfect()]);
  expect(scenes).toBe(1);
  expect(views.agentview).toMatchObject({ cell_accuracy: 1, absent_accuracy: 1 });
  expect(views.agentview.cm.n).toBe(2);
  expect(views.eye_in_hand).toMatchObject({ cell_accuracy: 1, absent_accuracy: 1 });
  for (const { pixels, cm } of Object.values(views)) {
    expect(pixels.mean).toBeLessThan(TOLERANCE);
    expect(cm.mean).toBeLessThan(TOLERANCE);
    expect(cm.within_1cm).toBe(1);
  }
  for (const { mean, flow } of Object.values(readout))
    for (const one of [mean, flow]) for (const error of Object.values(one)) expect(error.mean).toBeLessThan(TOLERANCE);
  expect(readout.seen.mean.place_cm.n).toBe(1);
});

test('half a cell aside is 8 of 64 pixels, and 50 cm on a floor of which 4 m are seen', () => {
  const { views } = summarise(shape, [perfect(0.5)], [perfect()]);
  expect(Math.abs(views.eye_in_hand.pixels.median - 8)).toBeLessThan(TOLERANCE);
  expect(Math.abs(views.eye_in_hand.cm.median - 50)).toBeLessThan(TOLERANCE);
  expect(views.eye_in_hand.cm.within_2cm).toBe(0);
});
