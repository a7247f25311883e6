/**
 * Florence-2's weights as others name them: Microsoft's remote code, transformers' own classes (with or without `model.`),
 * and FLOWER and NinA, which put `vlm.` before Microsoft's names and at times keep the text encoder alone
 * (`vlm.language_encoder.X`, or a bare `vlm.language_model.X`). Ours are transformers'.
 */
import { NinaError, UsageError } from '../../errors.ts';
import { key, normals } from '../../random.ts';
import { compare, type ForeignTensors, type Known, type Match, type Reference } from '../../reference.ts';
import type { UnreadTensor } from '../../safetensors-format.ts';
import { layoutOf, mapTree, type NDArray, type Spec } from '../../tensor/index.ts';
import type { Florence2Config } from './config.ts';
import { blueprint, type Params } from './params.ts';
import { configOf, REAL_ROWS } from './reference-sizes.ts';
import { florenceTokenizer } from './specials.ts';

/** Prefixes of a whole policy or model, outermost first. */
const PREFIXES = /^(vlm\.)?(model\.(?=vision_tower\.|multi_modal_projector\.|language_model\.))?/;

/** Microsoft's names to transformers', in this order. */
const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^image_projection$/, 'multi_modal_projector.image_projection.weight'],
  [/^image_proj_norm\./, 'multi_modal_projector.image_proj_norm.'],
  [/^image_pos_embed\./, 'multi_modal_projector.image_position_embed.'],
  [/^visual_temporal_embed\./, 'multi_modal_projector.visual_temporal_embed.'],
  [/^(vision_tower\.convs\.\d+)\.proj\./, '$1.conv.'],
  [/^(vision_tower\.blocks\..*\.conv[12])\.fn\.dw\./, '$1.'],
  [/^(vision_tower\.blocks\..*)\.(?:window|channel)_attn\.norm\./, '$1.norm1.'],
  [/^(vision_tower\.blocks\..*\.(?:window|channel)_attn)\.fn\./, '$1.'],
  [/^(vision_tower\.blocks\..*)\.ffn\.norm\./, '$1.norm2.'],
  [/^(vision_tower\.blocks\..*\.ffn)\.fn\.net\./, '$1.'],
  [/^language_encoder\./, 'language_model.encoder.'],
  [/^language_model\.model\./, 'language_model.'],
  // What is left bare is of the text encoder.
  [/^language_model\.(?!shared\.|encoder\.|decoder\.|lm_head\.|final_logits_bias$)/, 'language_model.encoder.'],
];

const SHARED = 'language_model.shared.weight';
const TIED = 'language_model.encoder.embed_tokens.weight';
const SINES = 'multi_modal_projector.visual_temporal_embed.pos_idx_to_embed';

/** What we have no use for. */
const LEFT: readonly (readonly [RegExp, string])[] = [
  [/^language_model\.decoder\./, "BART's decoder"],
  [/(^|\.)lm_head\.weight$/, "BART's head"],
  // Also where NinA's rule for bare names made it one of the encoder.
  [/(^|\.)final_logits_bias$/, "BART's head"],
  [
    /^multi_modal_projector\.visual_temporal_embed\./,
    'the sine table of frames, of which the constant first row is used',
  ],
];

const OURS = /^(vision_tower|multi_modal_projector|language_model|lm_head)\./;

/** A tensor's name in our tree. */
function ourName(name: string): string {
  const bare = name.replace(PREFIXES, '');
  return RENAMED.reduce((renamed, [from, to]) => renamed.replace(from, to), bare);
}

export const florence2Reference: Reference<Florence2Config, Params<NDArray>> = {
  owns: (name) => OURS.test(ourName(name)),
  match,
  asset: florenceTokenizer,
};

function match(tensors: ForeignTensors, known: Known): Match<Florence2Config, Params<NDArray>> {
  const used = new Map<string, UnreadTensor>();
  const foreign = new Map<string, string>();
  const left: Record<string, string[]> = {};
  const twice: string[] = [];
  for (const [name, tensor] of tensors) {
    const ours = ourName(name);
    const why = LEFT.find(([pattern]) => pattern.test(ours))?.[1];
    if (why !== undefined) {
      left[why] ??= [];
      left[why].push(name);
    }
    if (why === undefined && foreign.has(ours)) twice.push(`${name} is another ${foreign.get(ours)}`);
    foreign.set(ours, name);
    if (why === undefined) used.set(ours, name.endsWith('image_projection') ? turned(tensor) : tensor);
  }
  const tied = used.get(TIED);
  if (tied && used.has(SHARED)) {
    used.delete(TIED);
    left['tied copies of the embedding'] = [foreign.get(TIED)!];
  } else if (tied) {
    // A text encoder alone has the embedding under its own name.
    used.delete(TIED);
    used.set(SHARED, tied);
    foreign.set(SHARED, foreign.get(TIED)!);
  }
  const { config, rows } = configOf(used, known);
  const { flow_token: _, ...learned } = blueprint(key(0), config);
  const wanted = new Map(
    layoutOf(learned).entries.map(({ path, shape }) => [
      path,
      path === SHARED ? { shape: [rows, shape[1]] } : { shape },
    ]),
  );
  const problems = compare(wanted, used);
  const theirs = (text: string) => text.replace(/^\S+/, (ours) => foreign.get(ours) ?? ours);
  const trimmed = rows > config.vocabulary;
  return {
    config,
    problems: {
      missing: problems.missing,
      unknown: problems.unknown.map(theirs),
      different: [...problems.different.map(theirs), ...twice],
    },
    left,
    notes: [
      flowNote(known),
      ...(trimmed ? [`rows ${config.vocabulary} to ${rows - 1} of the embedding are no words and are left`] : []),
    ],
    model() {
      const flow = flowToken(known, rows);
      checkSines(tensors.get(foreign.get(SINES) ?? ''), foreign.get(SINES));
      const shared = floats(used.get(SHARED)!, foreign.get(SHARED)!);
      checkTied(tied, used.get(SHARED)!, shared.data, foreign);
      return mapTree(blueprint(key(0), config), ({ shape }: Spec, path): NDArray => {
        if (path === 'flow_token') return { shape, data: flow(shared.data, config.width) };
        if (path !== SHARED) return floats(used.get(path)!, foreign.get(path)!);
        return { ...shared, shape, data: shared.data.subarray(0, shape[0] * shape[1]) };
      });
    },
  };
}

/** The numbers of a tensor, stored again in as many bytes. @throws NinaError for one that is not finite. */
function floats({ dtype, shape, read }: UnreadTensor, name: string): NDArray {
  const data = read() as Float32Array;
  const bad = data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new NinaError(`${name} is not finite: it holds ${data[bad]} at ${bad}. The file is damaged.`);
  return { shape, data, ...((dtype === 'F16' || dtype === 'BF16') && { dtype }) };
}

/** Microsoft's projection is a parameter [in, out]; a linear map's weight is [out, in]. */
const turned = ({ dtype, shape, read }: UnreadTensor): UnreadTensor =>
  shape.length !== 2
    ? { dtype, shape, read }
    : {
        dtype,
        shape: [shape[1], shape[0]],
        read() {
          const data = read();
          const out = data.slice();
          const [I, O] = shape;
          for (let i = 0; i < I; i++) for (let o = 0; o < O; o++) out[o * I + i] = data[i * O + o];
          return out;
        },
      };

/** @throws NinaError where the table's first row, which our graph has as a constant, is another. */
function checkSines(table: UnreadTensor | undefined, name = ''): void {
  if (!table) return;
  const row = table.read().subarray(0, table.shape.at(-1));
  const wrong = row.findIndex((x, i) => Number(x) !== i % 2);
  if (wrong >= 0)
    throw new NinaError(
      `${name} holds ${row[wrong]} at ${wrong}: its first row should be 0, 1, 0, 1, the sines and cosines of frame 0. It is not the reference's.`,
    );
}

/** @throws NinaError where the text encoder's own copy of the embedding is not that embedding. */
function checkTied(
  tied: UnreadTensor | undefined,
  shared: UnreadTensor,
  rows: Float32Array,
  foreign: ReadonlyMap<string, string>,
): void {
  if (!tied || tied === shared) return;
  const copy = tied.read();
  if (copy.length !== rows.length || rows.some((x, i) => x !== copy[i]))
    throw new NinaError(
      `${foreign.get(TIED)} and ${foreign.get(SHARED)} should be one embedding, and they differ. The file is not of a Florence-2 whose weights are tied.`,
    );
}

/** Standard deviation of a new row in transformers before 4.46. */
const ROW_STD = 0.02;

const CHOICES =
  'Choose --flow-token mean (of all rows, as transformers draws it from 4.46 on), random:SEED (of standard deviation 0.02, as earlier versions do), or last-row (the row of the embedding that was <Flow> in the run before, if the file has one).';

/** The embedding of <Flow>, which no file holds. @throws UsageError unless it is chosen and can be had. */
function flowToken(
  { options: { flowToken: choice } }: Known,
  rows: number,
): (shared: Float32Array, d: number) => Float32Array {
  const seed = /^random:(\d{1,15})$/.exec(choice ?? '')?.[1];
  if (seed !== undefined) return (_, d) => normals(key(Number(seed)), d).map((x) => x * ROW_STD);
  if (choice === 'mean') return (shared, d) => meanRow(shared, Math.min(rows, REAL_ROWS), d);
  if (choice !== 'last-row')
    throw new UsageError(
      `${choice === undefined ? '--flow-token is needed' : `--flow-token ${choice} is none of the choices`}: the embedding of the token <Flow> is not in the file. It is drawn when the model is built, before weights are loaded, and is never trained nor saved. ${CHOICES}`,
    );
  if (rows === REAL_ROWS || rows > REAL_ROWS + 1)
    throw new UsageError(
      `--flow-token last-row: the embedding has ${rows} rows, of which ${rows === REAL_ROWS ? 'none was added for <Flow>' : `those from ${REAL_ROWS} on are <image> and padding`}. ${CHOICES}`,
    );
  return (shared, d) => shared.slice((rows - 1) * d, rows * d);
}

const flowNote = ({ options }: Known) => `<Flow>, which no file holds, is ${options.flowToken}`;

function meanRow(shared: Float32Array, rows: number, d: number): Float32Array {
  const sum = new Float64Array(d);
  for (let i = 0; i < rows * d; i++) sum[i % d] += shared[i];
  return Float32Array.from(sum, (x) => x / rows);
}
