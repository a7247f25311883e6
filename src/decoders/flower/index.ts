/**
 * FLOWER's rectified-flow decoder (arXiv 2509.04996), the "Diffusion" that NinA is compared with: a Transformer over the
 * chunk that sees every token of the encoder and takes several denoising steps per sample.
 */
export { CONFIGURATIONS, checkFlower, type FlowerConfig, flowerSchema, SAMPLING_TYPES } from './config.ts';
export { flower } from './decoder.ts';
export { loss, sample, velocity } from './flower.ts';
export { blueprint, type Params } from './params.ts';
export { type Imported, importReference } from './reference.ts';
export { sampleTimes } from './times.ts';
