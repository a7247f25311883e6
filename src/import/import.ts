/**
 * `nina import`: somebody else's checkpoint becomes one of ours. Names and shapes are settled first (match.ts), then each
 * tensor is read once, as float32, and written as it came; the file is never held as such.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { DecoderConfig } from '../decoders/index.ts';
import { type Assets, type EncoderConfig, encoderOf } from '../encoders/index.ts';
import { cpu } from '../engine/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { hashFile } from '../file-hash.ts';
import { readText } from '../json-files.ts';
import {
  type EncoderParts,
  type PolicyConfig,
  type PolicyParts,
  policySchema,
  prepareSelfTest,
  recordEncoderSelfTest,
  writeCheckpoint,
  writeEncoderFolder,
} from '../policy/index.ts';
import { key } from '../random.ts';
import type { ImportOptions } from '../reference.ts';
import { PANDA } from '../robot/index.ts';
import { packageVersion } from '../version.ts';
import { type Matched, matchWeights } from './match.ts';
import { openWeights } from './open.ts';
import { question } from './question.ts';

export interface ImportSettings extends ImportOptions {
  /** The folder to be written. */
  readonly out: string;
  /** What reads instructions; 'tokenizer.json' beside the weights unless given. */
  readonly tokenizer?: string | undefined;
}

export interface Imported {
  readonly kind: 'policy' | 'encoder';
  readonly directory: string;
  readonly config: Pick<PolicyConfig, 'encoder'> & Partial<PolicyConfig>;
  /** What was decided, for people. */
  readonly notes: readonly string[];
  /** Names of tensors that were left out, by why. */
  readonly left: Readonly<Record<string, readonly string[]>>;
}

/**
 * A checkpoint, or of a file without a decoder an encoder folder.
 * @throws NinaError for a file that is damaged or is not what it should be; UsageError for an option that is needed.
 */
export async function importWeights(file: string, { out, tokenizer, ...options }: ImportSettings): Promise<Imported> {
  requireNothingAt(out);
  using weights = openWeights(file);
  const matched = matchWeights(weights, options, file);
  const { encoder, decoder } = matched;
  const assets = assetsOf(matched, file, tokenizer);
  const notes = [...weights.notes, ...encoder.notes, ...(decoder?.notes ?? [])];
  const origin = { file: path.basename(file), sha256: hashFile(file), notes };
  const config = decoder
    ? await writePolicy(out, encoder, decoder, assets, origin)
    : await writeEncoder(out, encoder, assets, origin);
  return {
    kind: decoder ? 'policy' : 'encoder',
    directory: out,
    config,
    notes,
    left: { ...encoder.left, ...decoder?.left },
  };
}

interface Origin {
  readonly file: string;
  readonly sha256: string;
  readonly notes: readonly string[];
}

async function writePolicy(
  out: string,
  encoder: Matched['encoder'],
  decoder: NonNullable<Matched['decoder']>,
  assets: Assets,
  { file, sha256, notes }: Origin,
): Promise<PolicyConfig> {
  const config = policyOf(encoder.config, decoder.config, file);
  const statistics = { encoder: encoderOf(encoder.config).measure([], PANDA, encoder.config) };
  const observation = question(config.encoder, statistics.encoder, assets);
  const { params, buffers } = decoder.model();
  const model = { params: { encoder: encoder.model(), decoder: params }, buffers };
  const parts: PolicyParts = { config, statistics, assets, model };
  using test = await prepareSelfTest(parts, observation, key(0), cpu);
  writeCheckpoint(out, parts, {
    package_version: packageVersion,
    engine_version: cpu.name,
    seed: 0,
    step: 0,
    data_hash: sha256,
    imported: { file, notes: [...notes] },
    self_test: await test.record(),
  });
  return config;
}

async function writeEncoder(out: string, { config, model }: Matched['encoder'], assets: Assets, origin: Origin) {
  const observation = question(config, {}, assets);
  const parts: EncoderParts = { config, params: model(), assets };
  writeEncoderFolder(out, parts, {
    package_version: packageVersion,
    origin: { imported: origin.file, sha256: origin.sha256, notes: origin.notes.join('; ') },
    self_test: await recordEncoderSelfTest(parts, observation, cpu),
  });
  return { encoder: config };
}

/** @throws NinaError where the parts do not fit together or our robot. */
function policyOf(encoder: EncoderConfig, decoder: DecoderConfig, file: string): PolicyConfig {
  const policy = policySchema.safeParse({
    encoder,
    decoder,
    robot: PANDA,
    acting: { multistep: decoder.chunk_length, temperature: 1 },
  });
  if (policy.success) return policy.data;
  throw new NinaError(
    `${file} is a policy that cannot act here: ${policy.error.issues.map(({ message }) => message).join('; ')}.`,
  );
}

/** What the encoder reads beside its weights. @throws UsageError where it is not there. */
function assetsOf({ encoder: { config } }: Matched, file: string, given: string | undefined): Assets {
  const { assets, reference } = encoderOf(config);
  return Object.fromEntries(
    assets.map((name) => {
      const found = given ?? path.join(path.dirname(file), name);
      if (given === undefined && !fs.existsSync(found))
        throw new UsageError(
          `The encoder reads texts with the ${name} that its weights were trained with, and there is none beside ${file}. Download it with the weights (of Florence-2, it is in the model's repository) and give it: --tokenizer FILE.`,
        );
      const text = readText(found);
      return [name, reference?.asset?.(text) ?? text];
    }),
  );
}

/** @throws UsageError for a folder that would have to go. */
function requireNothingAt(out: string): void {
  const there = fs.statSync(out, { throwIfNoEntry: false });
  if (there && !(there.isDirectory() && fs.readdirSync(out).length === 0))
    throw new UsageError(`${out} is there already. Name a new folder, or remove it.`);
}
