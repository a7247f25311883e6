/** config.json of a checkpoint: all that rebuilds the policy's graph. */
import * as z from 'zod';
import { decoderSchema } from '../decoders/index.ts';
import { encoderOf, encoderSchema } from '../encoders/index.ts';
import { actionSize, momentsSchema, robotSchema } from '../robot/index.ts';
import { surpriseSchema } from './surprise.ts';

export const policySchema = z
  .strictObject({
    encoder: encoderSchema,
    decoder: decoderSchema,
    robot: robotSchema,
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
function checkTogether({ decoder, robot, acting: { multistep } }: PolicyConfig, context: z.RefinementCtx): void {
  const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (multistep > decoder.chunk_length)
    wrong(['acting', 'multistep'], `${multistep} actions cannot be executed of a chunk of ${decoder.chunk_length}`);
  if (decoder.action_dim !== actionSize(robot))
    wrong(['decoder', 'action_dim'], `${decoder.action_dim} is not the ${actionSize(robot)} of 'robot'`);
}

/** stats.json of a checkpoint: normalisation belongs to the weights. Further statistics are kept but not needed. */
export const statisticsSchema = ({ encoder, robot }: Pick<PolicyConfig, 'encoder' | 'robot'>) =>
  z.looseObject({
    encoder: encoderOf(encoder).statistics(encoder),
    /** In the robot's units. */
    actions: momentsSchema(actionSize(robot)).optional(),
    /** Of a flow whose training is finished. */
    surprise: surpriseSchema.optional(),
  });

export type PolicyStatistics = z.output<ReturnType<typeof statisticsSchema>>;
