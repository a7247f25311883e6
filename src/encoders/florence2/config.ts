/**
 * What defines a Florence-2 encoder (Xiao et al., arXiv 2311.06242): the sizes of its image tower (DaViT, arXiv 2204.03645), of its
 * text encoder (BART, arXiv 1910.13461), and what it is shown. The only home of the defaults.
 *
 * Letters: P side of a picture in pixels, V views, N tokens of a view, L tokens of a text, d width of the encoder, S tokens in all.
 */
import * as z from 'zod';

const positive = z.int().min(1);
const perStage = () => z.tuple([positive, positive, positive, positive]);
const rate = z.number().min(0).max(0.9);

const sizesShape = {
  dims: perStage().describe("widths of the image tower's four stages"),
  heads: perStage().describe('heads of window attention, per stage'),
  groups: perStage().describe('groups of channel attention, per stage'),
  depths: perStage().describe('pairs of a spatial and a channel block, per stage'),
  patch_sizes: perStage().describe('kernels of the convolutions that begin the stages'),
  strides: perStage().describe('their strides'),
  pads: z.tuple([z.int().min(0), z.int().min(0), z.int().min(0), z.int().min(0)]).describe('their padding'),
  window: positive.describe('side of an attention window'),
  width: positive.describe('width d of the text encoder and of every token'),
  layers: positive.max(256).describe('layers of the text encoder'),
  encoder_heads: positive.describe('its attention heads'),
  ffn: positive.describe('width of its feed-forward layers'),
  vocabulary: positive.describe('rows of the word embedding; no token may have a higher id'),
  positions: positive.describe('most tokens of a sequence'),
};

/** What weights depend on. */
export type Florence2Sizes = z.output<z.ZodObject<typeof sizesShape>>;

/** Where members of the registry differ in what they begin with. */
interface Defaults {
  readonly upside_down: boolean;
  readonly max_text: number;
  readonly prompt: string;
}

const choicesShape = ({ upside_down, max_text, prompt }: Defaults) => ({
  image_size: z.int().min(8).default(112).describe('side P of the picture that the tower sees, in pixels'),
  views: z
    .array(z.string().min(1))
    .min(1)
    .refine((views) => new Set(views).size === views.length, 'wanted every view once')
    .default(['agentview', 'eye_in_hand'])
    .describe('cameras, in the order of their tokens'),
  upside_down: z
    .boolean()
    .default(upside_down)
    .describe('pictures are flipped, row 0 at the bottom as LIBERO stores them, before they are resized'),
  max_text: z.int().min(3).default(max_text).describe('longest text L in tokens, its two ends included'),
  prompt: z
    .string()
    .refine((text) => text.includes('{instruction}'), 'wanted {instruction} where the instruction goes')
    .default(prompt)
    .describe('what the text encoder reads'),
  shifts: z
    .array(z.int().min(0).max(64))
    .default([10, 4])
    .describe('largest random shift in training, in pixels, of each view'),
  proprio: z.boolean().default(false).describe("whether a token of the robot's state follows <Flow>"),
  dropout: rate.default(0.1).describe('dropout in the text encoder'),
  token_dropout: rate.default(0.1).describe('dropout on the tokens that decoders see'),
  drop_path: rate
    .default(0.1)
    .describe('how often training skips the last branch of the image tower; earlier ones less'),
});

/** What can be chosen for given weights. */
export type Florence2Choices = z.output<z.ZodObject<ReturnType<typeof choicesShape>>>;

/** A member of the registry. */
export interface Preset {
  readonly name: string;
  /** Chosen like the rest where none are given. */
  readonly sizes?: Florence2Sizes;
  /** Its weights that come with this package: a folder's name under pretrained/. */
  readonly pretrained?: string;
  readonly defaults: Defaults;
}

export interface Florence2Config extends Florence2Sizes, Florence2Choices {
  name: string;
  /** P, numbers of the robot's state, where the state has a token. */
  state_size?: number;
}

/** `settings`: what a recipe chooses; `schema`: config.json's `encoder`. */
export function schemas({ name, sizes, defaults }: Preset) {
  const choices = choicesShape(defaults);
  const schema: z.ZodType<Florence2Config> = z
    .strictObject({ name: z.literal(name), ...sizesShape, ...choices, state_size: positive.optional() })
    .superRefine(check);
  // What must hold does so whatever the robot's state is.
  const settings = z
    .strictObject(sizes ? choices : { ...sizesShape, ...choices })
    .superRefine((chosen, context) =>
      check({ name, ...sizes, ...chosen, ...(chosen.proprio && { state_size: 1 }) } as Florence2Config, context),
    );
  return { settings, schema };
}

type Geometry = Pick<Florence2Config, 'image_size' | 'patch_sizes' | 'strides' | 'pads'>;

/** Sides of the four stages' square maps, in tokens. */
export function sides({ image_size, patch_sizes, strides, pads }: Geometry): number[] {
  const out: number[] = [];
  for (const [s, k] of patch_sizes.entries())
    out.push(Math.floor(((out.at(-1) ?? image_size) + 2 * pads[s] - k) / strides[s]) + 1);
  return out;
}

/** N + 1: the tokens of a view, of which the first is their mean. */
export const tokensPerView = (config: Geometry): number => sides(config)[3] * sides(config)[3] + 1;

/** S: views, <Flow>, the state if it has a token, text. */
export const tokensOf = (config: Florence2Sizes & Florence2Choices): number =>
  config.views.length * tokensPerView(config) + 1 + Number(config.proprio) + config.max_text;

/** Rows of the projector's table of places: the largest map has as many on a side. */
export const MAP_SIDE = 50;

function check(config: Florence2Config, context: z.RefinementCtx): void {
  const wrong = (field: keyof Florence2Config, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  const {
    dims,
    heads,
    groups,
    patch_sizes,
    pads,
    width,
    encoder_heads,
    views,
    shifts,
    positions,
    proprio,
    state_size,
  } = config;
  for (const [s, dim] of dims.entries()) {
    if (dim % heads[s] !== 0)
      wrong('heads', `heads must divide dims; got ${heads[s]} heads for the width ${dim} of stage ${s}`);
    if (dim % groups[s] !== 0)
      wrong('groups', `groups must divide dims; got ${groups[s]} groups for the width ${dim} of stage ${s}`);
  }
  for (const [s, pad] of pads.entries())
    if (pad >= patch_sizes[s])
      wrong(
        'pads',
        `pads must be below patch_sizes; got a pad of ${pad} for the kernel ${patch_sizes[s]} of stage ${s}`,
      );
  if (width % encoder_heads !== 0)
    wrong('encoder_heads', `encoder_heads must divide width; got ${encoder_heads} heads for a width of ${width}`);
  if (shifts.length < views.length)
    wrong('shifts', `every view needs a largest shift; got ${shifts.length} for ${views.length} views`);
  if (proprio !== (state_size !== undefined))
    wrong('state_size', `state_size goes with proprio; got state_size ${state_size} and proprio ${proprio}`);
  const maps = sides(config);
  const [smallest, last] = [Math.min(...maps), maps[3]];
  if (smallest < 1 || last > MAP_SIDE)
    wrong(
      'image_size',
      `the stages' maps need at least 1 token on a side and the last at most ${MAP_SIDE}; got ${maps.join(', ')} for pictures of ${config.image_size} pixels`,
    );
  else if (tokensOf(config) > positions)
    wrong(
      'positions',
      `the encoder has ${positions} positions; got a sequence of ${tokensOf(config)} tokens (${views.length} views of ${tokensPerView(config)}, max_text ${config.max_text})`,
    );
}
