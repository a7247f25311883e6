/** config.json of a checkpoint: all that rebuilds the policy's graph. */
import * as z from 'zod';
import { decoderSchema } from '../decoders/index.ts';
import { stateConfigSchema } from '../encoders/state/index.ts';
import { actionSchema } from './action.ts';
import { surpriseSchema } from './surprise.ts';

export const policySchema = z.strictObject({
  encoder: stateConfigSchema,
  decoder: decoderSchema,
  action: actionSchema,
  /** Actions of a chunk that are executed before the next is asked for, unless the caller says otherwise. */
  multistep: z.int().min(1),
  /** Scale of the sampling noise, unless the caller says otherwise. */
  temperature: z.number().min(0),
});

export type PolicyConfig = z.output<typeof policySchema>;

const moments = z.looseObject({ mean: z.array(z.number()), std: z.array(z.number()) });

/** stats.json of a checkpoint: normalisation belongs to the weights. Further statistics are kept but not needed. */
export const statisticsSchema = z.looseObject({
  proprio: moments,
  position: moments,
  joint: moments,
  /** Of a flow whose training is finished. */
  surprise: surpriseSchema.optional(),
});

export type PolicyStatistics = z.output<typeof statisticsSchema>;
