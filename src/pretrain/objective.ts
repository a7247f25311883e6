/** Pretraining as an objective of train/shard.ts: the threads that share an update import this module by its URL. */
import type { Engine } from '../engine/index.ts';
import type { Key } from '../random.ts';
import { key as keyOf } from '../random.ts';
import { byPath, gradOf, mapTree, type Spec, symbols } from '../tensor/index.ts';
import { GRADIENT, PARAMETER } from '../train/objective.ts';
import { type GroundingShape, inputsOf } from './arrays.ts';
import { groundingLoss } from './loss.ts';
import { answers, blueprint } from './model.ts';

export interface GroundingOptions {
  readonly shape: GroundingShape;
  /** Steps over which roles and readout set in. */
  readonly settingIn: number;
}

export function open({ shape, settingIn }: GroundingOptions) {
  return {
    /** In: parameters, the arrays of a batch, `late.weight`. Out: `loss` and the gradients. */
    async compile(rows: number, engine: Engine, threads: number) {
      const p = symbols(
        mapTree(blueprint(keyOf(0), shape), (spec: Spec) => ({ shape: spec.shape })),
        PARAMETER,
      );
      const inputs = inputsOf(shape, rows);
      const loss = groundingLoss(answers(shape, p, inputs), inputs);
      const program = await engine.compile({ loss, ...byPath(gradOf(loss, p), GRADIENT) }, { threads });
      return { program, masks: [] };
    },
    draws: (_key: Key, step: number, _rows: number) => ({
      'late.weight': Float32Array.of(Math.min(1, (step + 1) / settingIn)),
    }),
  };
}
