/**
 * An encoder without a policy, as a training begins with it: config.json (`encoder`), model.safetensors (weights under the
 * paths 'encoder.<...>', also in half the bytes), the files that it needs beside them (tokenizer.json), and manifest.json
 * (where it comes from, the hashes of the other files, a self-test).
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { type Assets, type EncoderConfig, encoderOf, encoderSchema } from '../encoders/index.ts';
import { NinaError } from '../errors.ts';
import { readText } from '../json-files.ts';
import { key } from '../random.ts';
import { observationSchema } from '../robot/index.ts';
import { readSafetensors, writeSafetensors } from '../safetensors.ts';
import type { StoredTensor } from '../safetensors-format.ts';
import { layoutOf, leaves, type NDArray, type Tree } from '../tensor/index.ts';
import { adopt } from './adopt.ts';
import { checkFile, filesSchema } from './checked.ts';
import { MANIFEST, readJson, verify, writeJson, writeSealed, writeText } from './sealed.ts';

const FORMAT = 'nina-encoder';
const FORMAT_VERSION = 1;
const WHAT = "the encoder's folder";

/** What an encoder is built from. */
export interface EncoderParts {
  readonly config: EncoderConfig;
  readonly params: Tree<NDArray>;
  readonly assets: Assets;
}

const selfTestSchema = z.strictObject({
  observation: observationSchema,
  tokens: z.array(z.number()).describe('what these weights must answer: the mean of the tokens [W]'),
});

const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  format_version: z.literal(FORMAT_VERSION),
  package_version: z.string(),
  origin: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).describe('what made it'),
  parameters: z.int().min(1),
  files: filesSchema('config.json', 'model.safetensors'),
  self_test: selfTestSchema,
});

export type EncoderManifest = z.output<typeof manifestSchema>;

export interface EncoderFolder extends EncoderParts {
  readonly manifest: EncoderManifest;
  readonly directory: string;
}

/** Whether this is the folder of an encoder rather than a checkpoint. */
export const isEncoderFolder = (directory: string): boolean =>
  fs.existsSync(path.join(directory, MANIFEST)) &&
  z.object({ format: z.literal(FORMAT) }).safeParse(readJson(directory, MANIFEST)).success;

/**
 * @param dtype how weights are written, as they came unless given; the self-test must be of weights that are so rounded
 * @throws NinaError when the disk is full or the folder is not writable; nothing half-written stays.
 */
export function writeEncoderFolder(
  directory: string,
  { config, params, assets }: EncoderParts,
  origin: Pick<EncoderManifest, 'package_version' | 'origin' | 'self_test'>,
  dtype?: StoredTensor['dtype'],
): void {
  writeSealed(
    directory,
    WHAT,
    (folder) => {
      writeJson(folder, 'config.json', { encoder: config });
      const tensors = leaves(params, 'encoder').map(([name, leaf]) => [
        name,
        { ...(leaf as NDArray), ...(dtype && { dtype }) },
      ]);
      writeSafetensors(path.join(folder, 'model.safetensors'), Object.fromEntries(tensors));
      for (const [name, text] of Object.entries(assets)) writeText(folder, name, text);
    },
    (files): EncoderManifest => ({
      format: FORMAT,
      format_version: FORMAT_VERSION,
      ...origin,
      parameters: layoutOf(params).size,
      files: files as EncoderManifest['files'],
    }),
  );
}

/** What an encoder's folder or a checkpoint says of its encoder; weights are not read. */
export function readEncoderConfig(directory: string): EncoderConfig {
  const schema = z.looseObject({ encoder: encoderSchema });
  return checkFile(readJson(directory, 'config.json'), `${directory}/config.json`, schema, 'an encoder').encoder;
}

/** Reads and verifies an encoder's folder. The self-test is the caller's, who has an engine. @throws NinaError naming the file and what differs. */
export function readEncoderFolder(directory: string): EncoderFolder {
  const where = path.join(directory, MANIFEST);
  const manifest = checkFile(readJson(directory, MANIFEST), where, manifestSchema, 'an encoder');
  verify(directory, WHAT, manifest.files);
  const config = readEncoderConfig(directory);
  const { assets: needed, blueprint } = encoderOf(config);
  const absent = needed.find((name) => !Object.hasOwn(manifest.files, name));
  if (absent !== undefined)
    throw new NinaError(`${directory} has no ${absent}, which its ${config.name} encoder needs.`);
  const assets = Object.fromEntries(needed.map((name) => [name, readText(path.join(directory, name))]));
  const file = path.join(directory, 'model.safetensors');
  const expected = { encoder: blueprint(key(0), config) };
  const { encoder } = adopt(expected, readSafetensors(file).tensors, file) as { encoder: Tree<NDArray> };
  const { size } = layoutOf(encoder);
  if (size !== manifest.parameters)
    throw new NinaError(`${file} holds ${size} parameters; its manifest.json says ${manifest.parameters}.`);
  return { config, params: encoder, assets, manifest, directory };
}
