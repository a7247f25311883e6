/** What is asked of a scene that was made up, number by number. */
import { expect, test } from 'vitest';
import { madeUpScene, TINY, tokenizerJson } from '../../test/support/pretrain.ts';
import { openTokenizer } from '../encoders/florence2/words.ts';
import { key } from '../random.ts';
import { arraysOf, batchShapes, NAME_TOKENS } from './arrays.ts';
import { cellOf, pointAt } from './cells.ts';
import { drawExample, type Example, HAND, meantBy, plainExample, withHand } from './examples.ts';
import { READOUT_SIZE, readPosition } from './readout.ts';
import { fitsInto, pointIn, writeExample } from './write.ts';

const shape = { encoder: TINY, names: 4, phrases: 2 };
const tokenizer = openTokenizer(tokenizerJson());
const scene = withHand(madeUpScene());
const example: Example = {
  ...{ scene, names: ['bowl', 'plate', 'milk', 'basket'], phrases: scene.phrases, shifts: [] },
  isDropped: () => false,
};
/** Float32 of positions below 2. */
const TOLERANCE = 1e-6;

const C = 17;
const written = (one: Example) => {
  const arrays = arraysOf(shape, 2) as Record<string, Float32Array>;
  writeExample(shape, tokenizer, one, arrays, 1);
  return arrays;
};
/** The candidates that share what is right for a thing asked for in a view. */
const right = (cells: Float32Array, at: number, view: number): Record<number, number> =>
  Object.fromEntries(
    [...cells.subarray((2 * at + view) * C, (2 * at + view + 1) * C)].flatMap((share, c) =>
      share > 0 ? [[c, share]] : [],
    ),
  );

test('every array is as large as its shape, and only the row asked for is written', () => {
  const arrays = written(example);
  for (const [name, sizes] of Object.entries(batchShapes(shape, 2))) {
    const count = sizes.reduce((a, b) => a * b, 1);
    expect([name, arrays[name].length]).toEqual([name, count]);
    for (let i = 0; i < count / 2; i++) expect(Number(arrays[name][i])).toBe(0);
  }
});

test('a name is answered by the cells of all that it stands for, by 0 where nothing is to be seen', () => {
  const cells = written(example)['name.cells'];
  const cell = (i: number) => cellOf(scene.objects[i].views.agentview, 4);
  const K = shape.names;
  expect(right(cells, K, 0)).toEqual({ [cell(0)]: 1 });
  expect(right(cells, K, 1)).toEqual({ 0: 1 });
  expect(right(cells, K + 1, 0)).toEqual({ [cell(1)]: 0.5, [cell(2)]: 0.5 });
  expect(right(cells, K + 1, 1)).toEqual({ [cell(1)]: 1 });
  for (const absent of [2, 3]) for (const view of [0, 1]) expect(right(cells, K + absent, view)).toEqual({ 0: 1 });
});

test('cell and offset together are the point', () => {
  const arrays = written(example);
  const { x, y } = scene.objects[0].views.agentview;
  const cell = cellOf({ x, y }, 4);
  const at = shape.names * 2 * 2 * C + cell;
  const point = pointAt(cell, [arrays['name.offsets'][at], arrays['name.offsets'][at + 2 * C]], 4);
  expect(Math.abs(point.x - x)).toBeLessThan(TOLERANCE);
  expect(Math.abs(point.y - y)).toBeLessThan(TOLERANCE);
});

test('roles and readout are of what the phrase speaks of; a name has no place to put anything', () => {
  const arrays = written(example);
  const slot = (q: number, r: number) => (shape.phrases + q) * 3 + r;
  const cell = (i: number) => cellOf(scene.objects[i].views.agentview, 4);
  expect(right(arrays['role.cells'], slot(0, 0), 0)).toEqual({ [cell(0)]: 1 });
  expect(right(arrays['role.cells'], slot(0, 1), 0)).toEqual({ [cell(1)]: 1 });
  expect(right(arrays['role.cells'], slot(1, 0), 0)).toEqual({ [cell(0)]: 1 });
  expect(right(arrays['role.cells'], slot(1, 1), 0)).toEqual({});
  for (const q of [0, 1])
    for (const view of [0, 1]) expect(right(arrays['role.cells'], slot(q, 2), view)).toEqual({ [cell(4)]: 1 });
  const at = shape.phrases * READOUT_SIZE;
  readPosition(arrays['readout.wanted'], at, 'place').forEach((v, i) => {
    expect(Math.abs(v - scene.objects[1].position[i])).toBeLessThan(TOLERANCE);
  });
});

test('words are ids with their ends, padded behind; a name is its tokens alone, each with its share', () => {
  const arrays = written(example);
  const ids = tokenizer.encode('the bowl');
  const at = (shape.phrases + 1) * TINY.max_text;
  const read = [...arrays['florence2.ids'].subarray(at, at + TINY.max_text)].map(Number);
  expect(read).toEqual([...ids, ...Array(TINY.max_text - ids.length).fill(tokenizer.id('<pad>'))]);
  const real = [...arrays['florence2.real'].subarray(at, at + TINY.max_text)];
  expect(real).toEqual(read.map((_, i) => Number(i < ids.length)));
  const name = tokenizer.encode('bowl').slice(1, -1);
  const from = shape.names * NAME_TOKENS;
  expect([...arrays['name.ids'].subarray(from, from + name.length)].map(Number)).toEqual(name);
  const share = arrays['name.share'].subarray(from, from + NAME_TOKENS).reduce((a, b) => a + b, 0);
  expect(Math.abs(share - 1)).toBeLessThan(TOLERANCE);
});

test('a shifted picture moves the points with it, and out of it what leaves it', () => {
  const shifts = [{ pad: 6, dx: 12, dy: 6 }, undefined];
  const plate = scene.objects[1];
  const moved = pointIn({ shifts }, TINY, plate, 0)!;
  expect(Math.abs(moved.x - (plate.views.agentview.x - 6 / 64))).toBeLessThan(TOLERANCE);
  expect(moved.y).toBe(plate.views.agentview.y);
  const gone = { ...plate, views: { ...plate.views, agentview: { x: 0.05, y: 0.5, visible: true } } };
  expect(pointIn({ shifts }, TINY, gone, 0)).toBeUndefined();
  expect(pointIn({ shifts: [] }, TINY, gone, 0)).toBeDefined();
});

test('a token that is left out is neither of the ends', () => {
  const arrays = written({ ...example, isDropped: () => true });
  const at = shape.phrases * TINY.max_text;
  const count = tokenizer.encode(scene.phrases[0].text).length;
  const real = [...arrays['florence2.real'].subarray(at, at + count)];
  expect(real).toEqual([1, ...Array(count - 2).fill(0), 1]);
});

test('names asked for are distinct, of what is there and of what is not; phrases fit', () => {
  const fits = fitsInto({ ...TINY, max_text: 6 }, tokenizer);
  for (let seed = 0; seed < 20; seed++) {
    const drawn = drawExample(shape, madeUpScene(), fits, key(seed), { shifted: 0.5, wordsDropped: 0 });
    expect(drawn.names[0]).toBe(HAND);
    expect(new Set(drawn.names).size).toBe(4);
    expect(drawn.names.filter((name) => meantBy(name, scene.objects).length > 0).length).toBe(3);
    for (const { text } of drawn.phrases) expect(text).toBe('the bowl');
    const all = drawExample(shape, madeUpScene(), fitsInto(TINY, tokenizer), key(seed), {
      shifted: 0,
      wordsDropped: 0,
    });
    expect(all.phrases[0]).toEqual(scene.phrases[0]);
    const plain = plainExample(shape, madeUpScene(), fitsInto(TINY, tokenizer), key(seed), true);
    for (const { text, objects } of plain.phrases) {
      expect(text).not.toBe(scene.phrases[0].text);
      expect(objects).toEqual([0, 1]);
    }
  }
});
