/**
 * The sizes of a Florence-2 from the shapes of its weights. What shapes do not tell (heads, groups, the window, strides) is
 * that of the published model whose widths they are; for other widths it must be said.
 */
import * as z from 'zod';
import { NinaError, UsageError } from '../../errors.ts';
import type { ForeignTensors, Known } from '../../reference.ts';
import { type Florence2Config, type Florence2Sizes, type Preset, schemas, tokensOf } from './config.ts';
import { ANY, BASE, LARGE } from './presets.ts';

/** Tokens of a text of one token, with its ends. */
const SHORTEST = 3;

/** Rows of the published embeddings that are tokens of the processor; <Flow> was the next. */
export const REAL_ROWS = 51_289;

/**
 * @param tensors by our names
 * @returns the configuration, and the rows of the embedding, of which those beyond its `vocabulary` are no words
 * @throws NinaError for weights that have no sizes; UsageError naming the options that are needed.
 */
export function configOf(tensors: ForeignTensors, { options }: Known): { config: Florence2Config; rows: number } {
  const shape = (name: string, rank: number): readonly number[] => {
    const found = tensors.get(name)?.shape;
    if (found?.length === rank) return found;
    throw new NinaError(
      `The sizes of the encoder cannot be read from the weights: ${name} is ${found ? `[${found.join(', ')}]` : 'missing'}, and a tensor of ${rank} axes is wanted. Is the file a Florence-2?`,
    );
  };
  const count = (pattern: RegExp) =>
    [...tensors.keys()].reduce((most, name) => Math.max(most, 1 + Number(pattern.exec(name)?.[1] ?? -1)), 0);
  const stages = [0, 1, 2, 3];
  const convs = stages.map((s) => shape(`vision_tower.convs.${s}.conv.weight`, 4));
  const [rows, width] = shape('language_model.shared.weight', 2);
  const inferred = {
    dims: convs.map(([C]) => C),
    depths: stages.map((s) => count(new RegExp(`^vision_tower\\.blocks\\.${s}\\.(\\d+)\\.`))),
    patch_sizes: convs.map(([, , , k]) => k),
    width,
    layers: count(/^language_model\.encoder\.layers\.(\d+)\./),
    ffn: shape('language_model.encoder.layers.0.fc1.weight', 2)[0],
    positions: shape('language_model.encoder.embed_positions.weight', 2)[0] - 2,
    vocabulary: Math.min(rows, REAL_ROWS),
  };
  const published = [BASE, LARGE].find(
    ({ sizes }) => `${sizes?.dims}` === `${inferred.dims}` && sizes?.width === width,
  );
  const { heads, groups, encoderHeads, window, imageSize, maxText, prompt, flowToken } = options;
  const needed = Object.entries({ heads, groups, 'encoder-heads': encoderHeads }).filter(([, x]) => x === undefined);
  const named = needed.map(([name]) => `--${name}`).join(', ');
  const flow = flowToken === undefined ? ' Choose --flow-token, too: mean, random:SEED or last-row.' : '';
  if (!published && needed.length > 0)
    throw new UsageError(
      `The weights are of widths ${inferred.dims.join(', ')} and ${width}, which are not Florence-2's base or large, and heads leave no trace in the shapes of weights. Give ${named}${window === undefined ? `, and --window if it is not ${BASE.sizes?.window}` : ''}.${flow}`,
    );
  const preset: Preset = published ?? ANY;
  const chosen = {
    name: preset.name,
    // What base and large have alike, or each its own where these are its weights.
    ...pick(BASE.sizes, 'strides', 'pads', 'window'),
    ...pick(published?.sizes, 'heads', 'groups', 'encoder_heads'),
    ...inferred,
    ...defined({ heads, groups, encoder_heads: encoderHeads, window }),
    ...{ image_size: imageSize, prompt },
  };
  const { schema } = schemas(preset);
  // As long as the preset's, if there are positions for it; what is asked for must fit.
  const shortest = schema.safeParse({ ...chosen, max_text: maxText ?? SHORTEST });
  const room = shortest.data ? inferred.positions - tokensOf(shortest.data) + SHORTEST : SHORTEST;
  const config =
    maxText === undefined
      ? schema.safeParse({ ...chosen, max_text: Math.min(room, preset.defaults.max_text) })
      : shortest;
  if (config.success) return { config: config.data, rows };
  throw new NinaError(`The weights are of an encoder that cannot be.\n${z.prettifyError(config.error)}`);
}

const pick = (sizes: Florence2Sizes | undefined, ...names: (keyof Florence2Sizes)[]) =>
  Object.fromEntries(names.flatMap((name) => (sizes ? [[name, sizes[name]]] : [])));

const defined = (values: object) => Object.fromEntries(Object.entries(values).filter(([, x]) => x !== undefined));
