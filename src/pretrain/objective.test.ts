/** The program of an update of a tiny encoder. */
import { expect, test } from 'vitest';
import { madeUpScene, TINY, tokenizerJson } from '../../test/support/pretrain.ts';
import { openTokenizer } from '../encoders/florence2/words.ts';
import { cpu } from '../engine/index.ts';
import { key } from '../random.ts';
import { feeds, groupsOf, materialise, pack } from '../tensor/index.ts';
import { GRADIENT, PARAMETER } from '../train/objective.ts';
import { fill, initialState, openOptimizer, optimizerMemory } from '../train/optimizer.ts';
import { arraysOf } from './arrays.ts';
import { drawExample } from './examples.ts';
import { blueprint } from './model.ts';
import { open } from './objective.ts';
import { writeExample } from './write.ts';

const shape = { encoder: TINY, names: 4, phrases: 2 };
const B = 2;
const STEPS = 60;

test('every parameter learns, and the loss of a batch that is learned by heart falls', async () => {
  const tokenizer = openTokenizer(tokenizerJson());
  const arrays = arraysOf(shape, B);
  for (let row = 0; row < B; row++) {
    const changes = { shifted: 1, wordsDropped: 0 };
    writeExample(
      shape,
      tokenizer,
      drawExample(shape, madeUpScene(), () => true, key(row), changes),
      arrays,
      row,
    );
  }
  const plan = blueprint(key(1), shape);
  const { layout, flat } = pack(materialise(plan));
  const memory = await optimizerMemory(layout.size, 1);
  fill(memory, initialState(flat));
  const optimizer = await openOptimizer(memory);
  const objective = open({ shape, settingIn: 10 });
  const { program } = await objective.compile(B, cpu, 1);
  using _ = program;
  const weights = new Float32Array(layout.size);
  const gradient = new Float32Array(layout.size);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    weights.set(optimizer.state.params);
    const given = { ...feeds(layout, weights, PARAMETER), ...arrays, ...objective.draws(key(0), STEPS, B) };
    const { loss } = await program.run(given, feeds(layout, gradient, GRADIENT));
    losses.push(loss[0]);
    optimizer.gradients[0].set(gradient);
    optimizer.update(0, step, groupsOf(plan), {
      ...{ learningRate: 3e-3, beta1: 0.9, beta2: 0.98, weightDecay: 0, emaDecay: 0 },
    });
  }
  expect(losses[STEPS - 1]).toBeLessThan(0.6 * losses[0]);
  const still = layout.entries.filter(({ path, offset, size }) => {
    const [before, after] = [flat, optimizer.state.params].map((all) => all.subarray(offset, offset + size));
    // Softmax does not see what all keys have in common.
    return !path.endsWith('k_proj.bias') && before.every((x, i) => x === after[i]);
  });
  expect(still.map(({ path }) => path)).toEqual([]);
});

test('what follows the text encoder sets in step by step', () => {
  const { draws } = open({ shape, settingIn: 4 });
  const weight = (step: number) => draws(key(0), step, B)['late.weight'][0];
  expect([0, 1, 3, 9].map(weight)).toEqual([0.25, 0.5, 1, 1]);
});
