/**
 * What an imported policy is asked, once here and at every loading: made-up pictures and a made-up text, since the file
 * brings none.
 */
import { type Assets, type EncoderConfig, encoderOf } from '../encoders/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { key, rng } from '../random.ts';
import type { Observation, Picture } from '../robot/index.ts';

/** A task, and a letter: of a small vocabulary, every byte-level one has it. */
const TEXTS = ['pick up the black bowl and place it on the plate', 'a'] as const;
const SIDE = 64;

/**
 * An observation that the encoder takes.
 * @throws UsageError where its tokenizer makes of no text what it can read.
 */
export function question(config: EncoderConfig, statistics: object, assets: Assets): Observation {
  const encoder = encoderOf(config);
  const writer = encoder.writer(config, statistics, assets);
  const images = Object.fromEntries(encoder.views(config).map((view, i) => [view, picture(i)]));
  let refused: NinaError | undefined;
  for (const instruction of TEXTS)
    try {
      writer.check({ images, instruction });
      return { images, instruction };
    } catch (cause) {
      if (!(cause instanceof NinaError)) throw cause;
      refused ??= cause;
    }
  throw new UsageError(
    `The tokenizer and the weights do not fit together: ${refused?.message} Give the tokenizer.json of these weights, a longer --max-text, or the --prompt that they were trained with.`,
  );
}

/** Smooth shades with grain: every channel and place differs. */
function picture(seed: number): Picture {
  const random = rng(key(seed));
  const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % SIDE, Math.floor(i / 3 / SIDE), i % 3];
    return (x * (c + 1) + y * (3 - c) + random.int(64)) % 256;
  });
  return { width: SIDE, height: SIDE, data };
}
