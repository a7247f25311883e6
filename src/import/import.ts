/**
 * `nina import`: somebody else's checkpoint becomes one of ours. Names and shapes are settled first (match.ts), then each
 * tensor is read once, as float32, and written as it came; the file is never held as such.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { encoderOf } from '../encoders/index.ts';
import { cpu } from '../engine/index.ts';
import { NinaError, UsageError } from '../errors.ts';
import { hashFile } from '../file-hash.ts';
import { readText } from '../json-files.ts';
import {
  type PolicyConfig,
  type PolicyParts,
  policySchema,
  prepareSelfTest,
  writeCheckpoint,
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
  const left = { ...encoder.left, ...decoder?.left };
  if (!decoder) throw new Error('encoder folder: to come');
  const config = policyOf(matched, file);
  const parts: PolicyParts = {
    config,
    statistics: { encoder: encoderOf(config.encoder).measure([], PANDA, config.encoder) },
    assets,
    model: modelOf(matched),
  };
  using test = await prepareSelfTest(parts, question(parts), key(0), cpu);
  writeCheckpoint(out, parts, {
    package_version: packageVersion,
    engine_version: cpu.name,
    seed: 0,
    step: 0,
    data_hash: hashFile(file),
    imported: { file: path.basename(file), notes },
    self_test: await test.record(),
  });
  return { kind: 'policy', directory: out, config, notes, left };
}

function modelOf({ encoder, decoder }: Matched): PolicyParts['model'] {
  const { params, buffers } = decoder!.model();
  return { params: { encoder: encoder.model(), decoder: params }, buffers };
}

/** @throws NinaError where the parts do not fit together or our robot. */
function policyOf({ encoder, decoder }: Matched, file: string): PolicyConfig {
  const { config } = decoder!;
  const policy = policySchema.safeParse({
    encoder: encoder.config,
    decoder: config,
    robot: PANDA,
    acting: { multistep: config.chunk_length, temperature: 1 },
  });
  if (policy.success) return policy.data;
  throw new NinaError(
    `${file} is a policy that cannot act here: ${policy.error.issues.map(({ message }) => message).join('; ')}.`,
  );
}

/** What the encoder reads beside its weights. @throws UsageError where it is not there. */
function assetsOf({ encoder: { config } }: Matched, file: string, given: string | undefined): Record<string, string> {
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
