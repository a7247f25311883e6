/** What a pretraining is of: florence2-nano with its tokenizer, with settings that are given, standard, or those of a run that was stopped. */
import { fileURLToPath } from 'node:url';
import type { Florence2Config } from '../encoders/florence2/config.ts';
import { NANO } from '../encoders/florence2/presets.ts';
import { TOKENIZER } from '../encoders/florence2/writer.ts';
import { encoderOf } from '../encoders/index.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../json-files.ts';
import { PANDA } from '../robot/index.ts';
import { type PretrainSettings, pretrainSettings } from './config.ts';
import { isPretraining, type Pretraining, readPretraining } from './folder.ts';

/** As written, where it is no number. */
type Given = Readonly<Partial<Record<keyof PretrainSettings, number | string>>>;

/** The tokenizer comes with the package: weights know its tokens by their ids. */
const tokenizerText = () =>
  readText(fileURLToPath(new URL(`../../pretrained/${NANO.name}/${TOKENIZER}`, import.meta.url)));

/** @throws UsageError when the folder holds a pretraining already. */
export function beginPretraining(run: string, given: Given): Pretraining {
  if (isPretraining(run))
    throw new UsageError(`${run} holds a pretraining already: go on with it by --resume, or choose another --out.`);
  const { settings, configure } = encoderOf({ name: NANO.name });
  const tokenizer = tokenizerText();
  const encoder = configure(settings.parse({}), { episodes: [], robot: PANDA, assets: { [TOKENIZER]: tokenizer } });
  return { encoder: encoder as Florence2Config, tokenizer, settings: pretrainSettings(given) };
}

/** @throws UsageError when the folder holds none, or other settings are given. */
export function resumePretraining(run: string, given: Given): Pretraining {
  const { encoder, settings } = readPretraining(run);
  for (const [name, value] of Object.entries(given)) {
    const begun = settings[name as keyof PretrainSettings];
    if (value !== begun)
      throw new UsageError(`${run} was begun with --${name} ${begun}, and goes on with that; got ${value}.`);
  }
  return { encoder: encoder as Florence2Config, settings, tokenizer: tokenizerText() };
}
