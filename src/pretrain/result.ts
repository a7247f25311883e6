/** What a pretraining ends with: the encoder's folder, with what was measured of exactly these weights, and a picture of what it points at. */
import * as path from 'node:path';
import type { Params } from '../encoders/florence2/params.ts';
import { TOKENIZER } from '../encoders/florence2/writer.ts';
import type { Engine } from '../engine/index.ts';
import { writeFileAtomically } from '../files.ts';
import { narrowed, toFloat32 } from '../floats.ts';
import { toJson } from '../json.ts';
import { type EncoderManifest, recordEncoderSelfTest, writeEncoderFolder } from '../policy/index.ts';
import type { NDArray } from '../tensor/index.ts';
import { packageVersion } from '../version.ts';
import { type PretrainSettings, pretrainSchema } from './config.ts';
import type { GroundingReport, Judged } from './evaluate.ts';
import { hashOf, type Pretraining } from './folder.ts';
import { groundingPicture } from './picture.ts';

/** Weights are stored in half the bytes. */
const STORED = 'F16';
/** Scenes of the picture. */
const SHOWN = 6;

/** Rounds numbers to those that are stored. */
export function roundToStored(numbers: Float32Array): void {
  const half = new Uint16Array(numbers.length);
  narrowed(STORED, numbers, half);
  toFloat32(STORED, new Uint8Array(half.buffer), numbers);
}

/**
 * @param weights rounded to those that are stored
 * @param examples held-out scenes that the picture is of
 * @returns the encoder's folder
 */
export async function writeResult(
  run: string,
  { encoder, settings, tokenizer }: Pretraining,
  weights: Params<NDArray>,
  report: GroundingReport,
  examples: Judged,
  engine: Engine,
): Promise<string> {
  const directory = path.join(run, 'encoder');
  const parts = { config: encoder, params: weights, assets: { [TOKENIZER]: tokenizer } };
  const { scene, phrases } = examples.truths[0];
  const observation = { images: scene.images, instruction: phrases[0].text };
  const self_test = await recordEncoderSelfTest(parts, observation, engine);
  const origin: EncoderManifest['origin'] = {
    command: commandOf(settings),
    ...settings,
    settings_sha256: hashOf(toJson({ encoder, settings })),
    tokenizer_sha256: hashOf(tokenizer),
    engine: engine.name,
    ...flat(report),
  };
  writeEncoderFolder(directory, parts, { package_version: packageVersion, origin, self_test }, STORED);
  writeFileAtomically(path.join(run, 'report.json'), `${toJson(report)}\n`);
  const shape = { encoder, names: settings.names, phrases: settings.phrases };
  writeFileAtomically(path.join(run, 'grounding.svg'), groundingPicture(shape, examples, SHOWN));
  return directory;
}

/** What makes these weights again: steps, seed, and each setting that is not the standard one. */
function commandOf(settings: PretrainSettings): string {
  const standard = pretrainSchema.parse({});
  const { steps, seed, ...others } = settings;
  const chosen = Object.entries(others).filter(([name, value]) => value !== standard[name as keyof PretrainSettings]);
  return [
    'nina pretrain',
    ...Object.entries({ steps, seed, ...Object.fromEntries(chosen) }).map(([n, v]) => `--${n} ${v}`),
  ].join(' ');
}

/** Numbers of a nested report by their paths: 'views.agentview.cm.median'. */
function flat(value: object, prefix = ''): Record<string, number> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]): [string, number][] =>
      typeof one === 'number' ? [[prefix + name, one]] : Object.entries(flat(one, `${prefix}${name}.`)),
    ),
  );
}
