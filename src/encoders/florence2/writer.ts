/** From observations to the numbers of the encoder's inputs: pictures, the ids of the instruction, the state if it has a token. */
import { NinaError } from '../../errors.ts';
import { fold } from '../../random.ts';
import { type Moments, normalise, type Observation, requireFinite, requirePicture } from '../../robot/index.ts';
import type { Assets, ObservationWriter } from '../encoder.ts';
import type { Florence2Config } from './config.ts';
import { drawShift, preprocess } from './pictures.ts';
import { openTokenizer, promptIds, SPECIALS } from './words.ts';

/** Normalisation statistics, where the state has a token. */
export interface Florence2Statistics {
  readonly state?: Moments;
}

/** The asset that an instruction is read with. */
export const TOKENIZER = 'tokenizer.json';

/** Instructions whose ids are kept. */
const KNOWN = 1000;

/** @throws NinaError without a tokenizer, or with one that is none. */
export function florence2Writer(
  config: Florence2Config,
  { state: moments }: Florence2Statistics,
  { [TOKENIZER]: json }: Assets,
): ObservationWriter {
  if (json === undefined)
    throw new NinaError(
      `The encoder ${config.name} reads instructions with ${TOKENIZER}, which is missing: begin with weights that have one (--init).`,
    );
  const { image_size: size, views, upside_down: upsideDown, shifts, max_text: L, state_size: P } = config;
  const tokenizer = openTokenizer(json);
  const known = new Map<string, readonly bigint[]>();
  const idsOf = (instruction: string): readonly bigint[] => {
    const ids = known.get(instruction) ?? promptIds(tokenizer, config, instruction).map(BigInt);
    if (known.size === KNOWN) known.clear();
    known.set(instruction, ids);
    return ids;
  };
  return {
    check({ images, state, instruction }) {
      for (const view of views) {
        if (!images || !Object.hasOwn(images, view))
          throw new NinaError(
            `An observation has no picture of '${view}', which this policy's encoder needs; it has ` +
              `${Object.keys(images ?? {}).join(', ') || 'no pictures'}.`,
          );
        requirePicture(view, images[view]);
      }
      if (P !== undefined) {
        if (state?.length !== P)
          throw new NinaError(
            `An observation needs ${P} numbers of the robot's state; got ${state?.length ?? 'none'}.`,
          );
        requireFinite('state', state);
      }
      idsOf(instruction);
    },
    write({ images, state, instruction }: Observation, arrays, row, draw) {
      // Where a training keeps what the frozen tower makes of pictures, there is no array for them.
      const pixels = arrays['florence2.pixels'] as Float32Array | undefined;
      for (const [v, view] of pixels ? views.entries() : []) {
        const shift = draw && drawShift(fold(draw, view), shifts[v]);
        preprocess(images![view], { size, upsideDown, shift }, pixels!, (row * views.length + v) * 3 * size * size);
      }
      const ids = idsOf(instruction);
      (arrays['florence2.ids'] as BigInt64Array)
        .fill(BigInt(SPECIALS['<pad>']), row * L, (row + 1) * L)
        .set(ids, row * L);
      (arrays['florence2.real'] as Float32Array).fill(0, row * L, (row + 1) * L).fill(1, row * L, row * L + ids.length);
      if (P !== undefined)
        for (let i = 0; i < P; i++)
          (arrays['florence2.state'] as Float32Array)[row * P + i] = normalise(state![i], moments!, i);
    },
  };
}
