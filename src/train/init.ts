/**
 * What a training begins with (`init`): a policy's checkpoint or an encoder's folder, one's own or one of this package.
 * Its configuration lies below what the recipe says, its files (a tokenizer) go with the encoder, and its weights are
 * taken where the model has such.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decoderOf } from '../decoders/index.ts';
import { type Assets, type EncoderConfig, encoderOf } from '../encoders/index.ts';
import { cpu } from '../engine/index.ts';
import { UsageError } from '../errors.ts';
import {
  findCheckpoint,
  isEncoderFolder,
  type PolicyConfig,
  type PolicyModel,
  readCheckpoint,
  readEncoderConfig,
  readEncoderFolder,
  readPolicyConfig,
  requireEncoderSelfTest,
} from '../policy/index.ts';
import type { NDArray, Tree } from '../tensor/index.ts';
import { ENCODERS } from './parts.ts';
import { type Setting, type Settings, settingsIn } from './settings.ts';

/** src/ and dist/ lie side by side below the package's root. */
const PRETRAINED = fileURLToPath(new URL('../../pretrained', import.meta.url));

export interface Init {
  readonly directory: string;
  readonly encoder: { readonly config: EncoderConfig; readonly params: Tree<NDArray> };
  /** Of a policy. */
  readonly decoder?: { readonly config: PolicyConfig['decoder']; readonly model: PolicyModel };
  readonly assets: Assets;
}

/** Whether it is the name of weights of this package; a folder of one's own of such a name is written './NAME'. */
const isPretrained = (init: string): boolean =>
  path.basename(init) === init && isEncoderFolder(path.join(PRETRAINED, init));

/**
 * The folder that is meant: the package's of that name, or one's own.
 * @throws UsageError where there is none.
 */
function locate(init: string): string {
  if (isPretrained(init)) return path.join(PRETRAINED, init);
  if (fs.existsSync(init)) return isEncoderFolder(init) ? init : findCheckpoint(init);
  const names = fs.existsSync(PRETRAINED) ? fs.readdirSync(PRETRAINED).filter(isPretrained) : [];
  throw new UsageError(
    `init: there is no folder ${init}, and no weights of that name in this package` +
      `${names.length > 0 ? ` (it has ${names.join(', ')})` : ''}. Give the folder of a checkpoint, a run or an imported encoder.`,
  );
}

/** How a recipe notes it: a folder of one's own by its whole path, the package's by its name. */
export const lastingInit = (init: string): string => (isPretrained(init) ? init : path.resolve(init));

/** @throws NinaError for what is damaged or does not answer as when it was saved. */
export async function readInit(init: string): Promise<Init> {
  const directory = locate(init);
  if (isEncoderFolder(directory)) {
    const folder = readEncoderFolder(directory);
    await requireEncoderSelfTest(folder, cpu);
    return { directory, encoder: folder, assets: folder.assets };
  }
  const { config, model, assets } = readCheckpoint(directory);
  return {
    directory,
    encoder: { config: config.encoder, params: model.params.encoder },
    decoder: { config: config.decoder, model },
    assets,
  };
}

/**
 * The settings with those of what they begin with below them: what a recipe leaves out of its encoder, or of a decoder of
 * the same name, is as there. An encoder that comes with weights of this package begins with those unless told otherwise.
 * @throws UsageError where there is no such folder, or it is of another encoder.
 */
export function withInit(settings: Settings): Settings {
  const value = (name: string) => settings.get(name)?.value;
  const named = value('encoder.name');
  const member = typeof named === 'string' && Object.hasOwn(ENCODERS, named) ? ENCODERS[named] : undefined;
  const init = value('init') ?? member?.pretrained;
  if (typeof init !== 'string' || init === '') return settings;
  const directory = locate(init);
  const encoder = readEncoderConfig(directory);
  if (named !== undefined && named !== encoder.name)
    throw new UsageError(
      `${settings.get('encoder.name')!.where}: the encoder is ${named}, and init ${init} holds ${encoder.name}. Leave out one of them.`,
    );
  const below = new Map<string, Setting>([['init', { value: init, where: `the encoder ${named}` }]]);
  const lay = (section: string, config: object, schema: { readonly shape: object }) => {
    const own = Object.entries(config).filter(([name]) => name === 'name' || Object.hasOwn(schema.shape, name));
    for (const [path, setting] of settingsIn({ [section]: Object.fromEntries(own) }, directory))
      below.set(path, setting);
  };
  lay('encoder', encoder, encoderOf(encoder).settings);
  if (!isEncoderFolder(directory)) {
    const { decoder } = readPolicyConfig(directory);
    if ((value('decoder.name') ?? decoder.name) === decoder.name) lay('decoder', decoder, decoderOf(decoder).settings);
  }
  return new Map([...below, ...settings]);
}
