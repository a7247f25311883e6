/** Which action decoder a policy has, and its configuration: the decoder's own, under its name. */
import { z } from 'zod';
import { checkFlower, flowerSchema } from './flower/index.ts';
import { checkNina, ninaSchema } from './nina/index.ts';
import { regressionSchema } from './regression/index.ts';

export const DECODERS = ['nina', 'flower', 'regression'] as const;
export type DecoderName = (typeof DECODERS)[number];

/** The settings of each decoder, by field. */
export const decoderShapes = {
  nina: ninaSchema.shape,
  flower: flowerSchema.shape,
  regression: regressionSchema.shape,
} as const;

export const decoderSchema = z.discriminatedUnion('decoder', [
  z.strictObject({ decoder: z.literal('nina'), ...decoderShapes.nina }).superRefine(checkNina),
  z.strictObject({ decoder: z.literal('flower'), ...decoderShapes.flower }).superRefine(checkFlower),
  z.strictObject({ decoder: z.literal('regression'), ...decoderShapes.regression }),
]);

export type DecoderConfig = z.output<typeof decoderSchema>;

/** For headings: 'NinA-mlp, 28 layers of width 64'. */
export function describeDecoder(config: DecoderConfig): string {
  switch (config.decoder) {
    case 'nina': {
      const { backbone, n_layers, affine_dim, use_plu } = config;
      return `NinA-${backbone}, ${n_layers} layers of width ${affine_dim}${use_plu ? '' : ', no PLU'}`;
    }
    case 'flower':
      return `FLOWER diffusion, ${config.n_layers} layers of width ${config.dit_dim}, ${config.num_sampling_steps} steps`;
    case 'regression':
      return `regression, ${config.n_layers} layers of width ${config.hidden_dim}`;
  }
}
