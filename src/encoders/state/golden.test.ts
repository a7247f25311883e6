/** The inputs and the initial parameters of a Panda's encoder are what they were before robots could differ. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { fold, key, rng } from '../../random.ts';
import { PANDA, stateSize } from '../../robot/index.ts';
import { materialise, pack } from '../../tensor/index.ts';
import { stateEncoder } from './index.ts';

const sha256 = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

test('two observations and the parameters, by their hashes', () => {
  const r = rng(fold(key(5), 'golden'));
  const quaternion = () => {
    const q = [r.normal(), r.normal(), r.normal(), r.normal()];
    return q.map((x) => x / Math.hypot(...q));
  };
  const categories = ['can', 'soup_bowl', 'wooden_cabinet_top_drawer'];
  const P = stateSize(PANDA);
  const instruction = 'Put the can in the soup bowl.';
  const observations = [0, 1].map(() => {
    const state = Float32Array.from({ length: P }, () => r.uniform(-0.5, 0.5));
    const position = () => [r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.3), r.uniform(0, 0.3)];
    const poses = Float32Array.from(categories.flatMap(() => [...position(), ...quaternion(), r.uniform(0, 0.1)]));
    return { state, entities: { categories, poses }, instruction };
  });
  const statistics = {
    state: {
      mean: Array.from({ length: P }, () => r.uniform(-0.1, 0.1)),
      std: Array.from({ length: P }, () => r.uniform(0, 0.3)),
    },
    position: { mean: [0.01, -0.02, 0.05], std: [0.2, 0.1, 0.001] },
    joint: { mean: [0.01], std: [0.05] },
  };
  const config = stateEncoder.configure(stateEncoder.settings.parse({ blocks: 2 }), {
    episodes: [{ where: 'demo', instruction, categories }],
    robot: PANDA,
  });
  const arrays = stateEncoder.arrays(config, observations.length);
  for (const [row, observation] of observations.entries())
    stateEncoder.writer(config, statistics).write(observation, arrays, row);
  const hashes = Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, sha256(values)]));
  expect(hashes).toEqual({
    'state.proprio': '0eb80cae5a00c9769544683546627f27a9ca4b83aec976d79eca54c58a812d81',
    'state.features': '6f2ecc7a911bc7f849ebe1145476c90859ff5da7aa0c4bfb4e87ef04119de326',
    'state.categories': 'b205e2f791e9751ab838cf79137d663995b4350a0294fcbe0775270272f60901',
    'state.present': '4f05df05f8da9356bd66425351f166a5f7305b7c805e6900d9ec0f50790c9886',
    'state.words': 'dd7646dd8e7861e204ef9808c35f82adfe76d28b742d6a45ca8c60aa11938131',
    'state.spoken': '6f91366959059ff671babcb62b4cf8b3dfd3c02bb5057674dd18ab30b9452d47',
  });
  expect(sha256(pack(materialise(stateEncoder.blueprint(key(3), config))).flat)).toBe(
    'f5c4c3a4dcc8ca9566a4dc9f51687f9832e630570311a7d6d14e278b22be9069',
  );
});
