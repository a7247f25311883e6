/** config.json of a checkpoint: all that rebuilds the policy's graph. */
import * as z from 'zod';
import { decoderSchema } from '../decoders/index.ts';
import { PROPRIO_SIZE, stateConfigSchema } from '../encoders/state/index.ts';
import { actionSchema, LIBERO_ACTION } from './action.ts';
import { surpriseSchema } from './surprise.ts';

export const policySchema = z
  .strictObject({
    encoder: stateConfigSchema,
    decoder: decoderSchema,
    action: actionSchema,
    /** How the policy acts unless the caller says otherwise. */
    acting: z.strictObject({
      /** Actions of a chunk that are executed before the next is asked for. */
      multistep: z.int().min(1),
      /** Scale of the sampling noise. */
      temperature: z.number().min(0),
    }),
  })
  .superRefine(checkTogether);

export type PolicyConfig = z.output<typeof policySchema>;

/** What must hold between the parts; each message names the values. */
function checkTogether({ decoder, action, acting: { multistep } }: PolicyConfig, context: z.RefinementCtx): void {
  const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (multistep > decoder.chunk_length)
    wrong(['acting', 'multistep'], `${multistep} actions cannot be executed of a chunk of ${decoder.chunk_length}`);
  if (decoder.action_dim !== action.dimensions.length)
    wrong(['decoder', 'action_dim'], `${decoder.action_dim} is not the ${action.dimensions.length} of 'action'`);
}

/** Moments of `size` dimensions, and what else is measured of them. */
const moments = (size: number) => {
  const each = z.array(z.number()).length(size);
  const spread = z.array(z.number().min(0)).length(size);
  const more = { min: each, max: each, q01: each, q99: each, count: z.int().min(1), names: z.array(z.string()) };
  return z.strictObject({ mean: each, std: spread, ...z.object(more).partial().shape });
};

/** stats.json of a checkpoint: normalisation belongs to the weights. Further statistics are kept but not needed. */
export const statisticsSchema = z.looseObject({
  proprio: moments(PROPRIO_SIZE),
  position: moments(3),
  joint: moments(1),
  actions: moments(LIBERO_ACTION.dimensions.length).optional(),
  /** Of a flow whose training is finished. */
  surprise: surpriseSchema.optional(),
});

export type PolicyStatistics = z.output<typeof statisticsSchema>;
