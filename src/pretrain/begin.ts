/** What a pretraining is of: florence2-nano with its tokenizer, with settings that are given, standard, or those of a run that was stopped. */
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Florence2Config } from '../encoders/florence2/config.ts';
import { schemas } from '../encoders/florence2/config.ts';
import { NANO } from '../encoders/florence2/presets.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../json-files.ts';
import { type PretrainSettings, pretrainSettings } from './config.ts';
import { isPretraining, type Pretraining, readPretraining } from './folder.ts';

type Given = Readonly<Partial<PretrainSettings>>;

const tokenizer = () => readText(path.join(fileURLToPath(new URL('../../pretrained/florence2-nano/', import.meta.url)), 'tokenizer.json'));

/** @throws UsageError when the folder holds a pretraining already. */
export function beginPretraining(run: string, given: Given): Pretraining {
  if (isPretraining(run))
    throw new UsageError(`${run} holds a pretraining already: go on with it by --resume, or choose another --out.`);
  const { settings, schema } = schemas(NANO);
  const encoder: Florence2Config = schema.parse({ name: NANO.name, ...NANO.sizes, ...settings.parse({}) });
  return { encoder, tokenizer: tokenizer(), settings: pretrainSettings(given) };
}

/** @throws UsageError when the folder holds none, or other settings are given. */
export function resumePretraining(run: string, given: Given): Pretraining {
  const { encoder, settings } = readPretraining(run);
  for (const [name, value] of Object.entries(given)) {
    const begun = settings[name as keyof PretrainSettings];
    if (value !== begun)
      throw new UsageError(`${run} was begun with --${name} ${begun}, and goes on with that; got ${value}.`);
  }
  return { encoder: encoder as Florence2Config, settings, tokenizer: tokenizer() };
}
