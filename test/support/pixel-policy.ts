/** A small policy that reads pictures, of random weights. */
import { decoderSchema } from '../../src/decoders/index.ts';
import { cpu } from '../../src/engine/index.ts';
import { init, type PolicyConfig, prepareSelfTest, writeCheckpoint } from '../../src/policy/index.ts';
import { key } from '../../src/random.ts';
import { PANDA } from '../../src/robot/index.ts';
import { observation, smallFlorence2 } from './florence2.ts';

/** Writes a checkpoint. @param decoder its settings */
export async function savePixelPolicy(directory: string, decoder: object): Promise<string> {
  const { config: encoder, assets } = smallFlorence2(3);
  const config: PolicyConfig = {
    encoder,
    decoder: decoderSchema.parse(decoder),
    robot: PANDA,
    acting: { multistep: 10, temperature: 1 },
  };
  const content = { config, statistics: { encoder: {} }, model: init(key(3), config), assets };
  using selfTest = await prepareSelfTest(content, observation, key(1), cpu);
  writeCheckpoint(directory, content, {
    ...{ package_version: '0', engine_version: 'test', seed: 3, step: 0, data_hash: 'none' },
    self_test: await selfTest.record(),
  });
  return directory;
}
