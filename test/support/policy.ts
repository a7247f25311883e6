/** Small policies of random weights. */
import { decoderSchema } from '../../src/decoders/index.ts';
import { stateEncoder } from '../../src/encoders/state/index.ts';
import { cpu } from '../../src/engine/index.ts';
import {
  init,
  type PolicyConfig,
  type PolicyModel,
  prepareSelfTest,
  type SurpriseStatistics,
  writeCheckpoint,
} from '../../src/policy/index.ts';
import { key } from '../../src/random.ts';
import { PANDA } from '../../src/robot/index.ts';
import { mapTree, type NDArray } from '../../src/tensor/index.ts';

export const observation = {
  state: [0.1, 0, 0.2, 1, 0, 0, 0, 1, 0, 0.04, -0.04],
  entities: {
    categories: ['can', 'basket'],
    poses: [0.1, 0.1, 0.02, 1, 0, 0, 0, 0, -0.1, 0.1, 0.02, 1, 0, 0, 0, 0],
  },
  instruction: 'put the can in the basket',
};
const unit = (n: number) => ({ mean: Array(n).fill(0), std: Array(n).fill(1) });
const statistics = { encoder: { state: unit(11), position: unit(3), joint: unit(1) } };

const SMALL_NINA = { name: 'nina', n_layers: 3, affine_dim: 8, n_heads: 2, block_depth: 1, cond_dim: 12 };

const configOf = (decoder: object): PolicyConfig => ({
  encoder: stateEncoder.configure(stateEncoder.settings.parse({ dim: 16, heads: 2 }), {
    episodes: [{ where: 'made', instruction: observation.instruction, categories: observation.entities.categories }],
    robot: PANDA,
  }),
  decoder: decoderSchema.parse('name' in decoder ? decoder : { ...SMALL_NINA, ...decoder }),
  robot: PANDA,
  acting: { multistep: 10, temperature: 1 },
});

/**
 * Writes a checkpoint of random weights.
 * @param decoder its settings; of a small NinA-MLP unless they say otherwise
 * @param scale of the weights; small ones answer with small actions
 */
export async function saveRandomPolicy(
  directory: string,
  decoder: object = {},
  { surprise, scale = 1 }: { surprise?: SurpriseStatistics; scale?: number } = {},
): Promise<string> {
  const config = configOf(decoder);
  const { params, buffers } = init(key(3), config);
  const scaled = mapTree(params, ({ data, shape }: NDArray) => ({ shape, data: data.map((w) => scale * w) }));
  const content = {
    config,
    statistics: { ...statistics, ...(surprise && { surprise }) },
    model: { params: scaled as PolicyModel['params'], buffers },
    assets: {},
  };
  using selfTest = await prepareSelfTest(content, observation, key(1), cpu);
  writeCheckpoint(directory, content, {
    package_version: '0',
    engine_version: 'test',
    seed: 3,
    step: 0,
    data_hash: 'none',
    self_test: await selfTest.record(),
  });
  return directory;
}
