/**
 * The reference's state dict, into our parameters and back.
 *
 * Our parameters are the reference's numbers laid out for speed (twins stacked, the condition's columns apart), so every
 * reference tensor is cut into rectangular pieces, each of which lies contiguously in one of our leaves. Import and
 * export walk the same list of pieces. What cannot matter to any output (see transformer.ts) has no piece: it is dead.
 */
import { NinaError } from '../../errors.ts';
import { invert, isPermutation } from '../../flows/index.ts';
import { key } from '../../random.ts';
import { layoutOf, leaves, type NDArray, type Shape, unpack } from '../../tensor/index.ts';
import type { NinaConfig } from './config.ts';
import { deadNames, type Piece, pieces } from './names.ts';
import { blueprint, type Model, type Params } from './nina.ts';

/** A named tensor of a state dict; permutations are int64. */
export interface StateTensor {
  readonly shape: Shape;
  readonly data: Float32Array | BigInt64Array;
}
export type StateDict = Readonly<Record<string, StateTensor>>;

export interface Imported {
  readonly model: Model;
  /** Reference parameters that were accepted and left out, because no output depends on them. */
  readonly dead: string[];
}

/**
 * Builds our decoder from a reference state dict. Names may carry the prefix 'nf.' of a whole policy's checkpoint; what
 * lies outside the prefix is then not the decoder's and is not read.
 * @throws NinaError listing every missing, unexpected and wrongly shaped tensor.
 */
export function importReference(config: NinaConfig, state: StateDict): Imported {
  const tensors = withoutPrefix(state);
  const list = pieces(config);
  const dead = deadNames(config);
  const expected = expectedShapes(config);
  const problems = [
    ...[...expected.keys()].filter((name) => !(name in tensors) && !dead.has(name)).map((name) => `missing: ${name}`),
    ...Object.keys(tensors)
      .filter((name) => !expected.has(name))
      .map((name) => `unexpected: ${name}`),
    ...[...expected]
      .filter(([name, shape]) => name in tensors && `${tensors[name].shape}` !== `${shape}`)
      .map(([name, shape]) => `shape: ${name} is [${tensors[name].shape.join(', ')}], wanted [${shape.join(', ')}]`),
  ];
  if (problems.length > 0)
    throw new NinaError(
      `The weights do not fit a ${config.backbone} decoder of ${config.n_layers} layers, width ${config.affine_dim}, use_plu ${config.use_plu}. Check the configuration.\n${problems.join('\n')}`,
    );

  // Names and shapes; nothing is drawn.
  const { params } = blueprint(key(0), config);
  const flat = new Float32Array(layoutOf(params).size);
  const filled = unpack(params, flat);
  const byPath = new Map(leaves<NDArray>(filled));
  for (const piece of list) {
    const source = floats(tensors, piece.name);
    eachRow(piece, (from, to, count) => {
      byPath.get(piece.path)!.data.set(source.subarray(from, from + count), to);
    });
  }
  return {
    model: { params: filled, buffers: buffers(config, tensors) },
    dead: [...[...dead.keys()].filter((name) => name in tensors), ...partlyDead(list)],
  };
}

/** Parameters, or gradients in their layout, under the reference's names; zeros where the reference has a dead entry. */
export function exportReference(config: NinaConfig, params: Params<NDArray>): Record<string, NDArray> {
  const list = pieces(config);
  const byPath = new Map(leaves<NDArray>(params));
  const out: Record<string, NDArray> = {};
  const allocate = (name: string, shape: Shape) => {
    out[name] ??= { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
  };
  for (const { name, shape } of list) allocate(name, shape);
  for (const [name, shape] of deadNames(config)) allocate(name, shape);
  for (const piece of list)
    eachRow(piece, (at, from, count) => {
      out[piece.name].data.set(byPath.get(piece.path)!.data.subarray(from, from + count), at);
    });
  return out;
}

/** Tensors of which a part has no piece: the query and key rows of cross-attention. */
export function partlyDead(list: readonly Piece[]): string[] {
  const alive = new Map<string, number>();
  for (const { name, rows, columns } of list)
    alive.set(name, (alive.get(name) ?? 0) + (rows[1] - rows[0]) * (columns[1] - columns[0]));
  const partial = list.filter(({ name, shape }) => alive.get(name)! < shape.reduce((a, b) => a * b, 1));
  return partial.map(({ name }) => `${name} (query and key)`);
}

/** The rows of a piece: where each starts in the reference tensor and in our leaf. */
function eachRow(piece: Piece, visit: (reference: number, ours: number, count: number) => void): void {
  const width = piece.shape.at(-1)!;
  const [top, bottom] = piece.rows;
  const [left, right] = piece.columns;
  for (let r = top; r < bottom; r++) visit(r * width + left, piece.offset + (r - top) * (right - left), right - left);
}

function withoutPrefix(state: StateDict): StateDict {
  const inside = Object.entries(state).filter(([name]) => name.startsWith('nf.'));
  return inside.length > 0 ? Object.fromEntries(inside.map(([name, t]) => [name.slice(3), t])) : state;
}

/** Every tensor of the state dict and its shape, those that are dead included. */
export function expectedShapes(config: NinaConfig): Map<string, Shape> {
  const { backbone, n_layers, use_plu, chunk_length: T, action_dim: A } = config;
  const stride = use_plu ? 3 : 2;
  const D = T * A;
  const shapes = new Map<string, Shape>([
    ...pieces(config).map((p) => [p.name, p.shape] as const),
    ...deadNames(config),
  ]);
  for (let i = 0; i < n_layers; i++) {
    for (const name of ['perm', 'inv_perm']) shapes.set(`layers.${stride * i}.${name}`, [backbone === 'mlp' ? D : T]);
    if (use_plu) for (const name of ['P', 'P_inv']) shapes.set(`layers.${stride * i + 2}.${name}`, [D, D]);
  }
  return shapes;
}

/** Whether a tensor of the state dict holds integers. */
export const isInteger = (name: string): boolean => /\.(inv_)?perm$/.test(name);

/** Permutations and the P of each PLU as row indices, each checked against its stored inverse. */
function buffers({ n_layers, use_plu, chunk_length: T, action_dim: A }: NinaConfig, tensors: StateDict) {
  const stride = use_plu ? 3 : 2;
  const D = T * A;
  const out: Record<string, number[]> = {};
  for (let i = 0; i < n_layers; i++) {
    const at = `layers.${stride * i}`;
    const order = Array.from(tensors[`${at}.perm`].data, Number);
    const stored = Array.from(tensors[`${at}.inv_perm`].data, Number);
    checkOrder(order, `${at}.perm`);
    if (`${invert(order)}` !== `${stored}`)
      throw new NinaError(`${at}.inv_perm does not undo ${at}.perm: the weights are damaged. Export them again.`);
    out[`permutation.${i}`] = order;
  }
  for (let i = 0; use_plu && i < n_layers; i++) {
    const at = `layers.${stride * i + 2}`;
    const rows = rowsOf(floats(tensors, `${at}.P`), D, `${at}.P`);
    checkOrder(rows, `${at}.P`);
    if (`${invert(rows)}` !== `${rowsOf(floats(tensors, `${at}.P_inv`), D, `${at}.P_inv`)}`)
      throw new NinaError(`${at}.P_inv is not the inverse of ${at}.P: the weights are damaged. Export them again.`);
    out[`plu.${i}`] = rows;
  }
  return out;
}

function checkOrder(order: readonly number[], name: string): void {
  if (!isPermutation(order))
    throw new NinaError(
      `${name} is no permutation of ${order.length} entries: the weights are damaged. Export them again.`,
    );
}

/** A moving average of ones and zeros is off by as many roundings as it has steps. */
const AVERAGED = 1e-3;

/** A permutation matrix as indices: (P L)[i] = L[rows[i]]. */
function rowsOf(P: Float32Array, D: number, name: string): number[] {
  return Array.from({ length: D }, (_, i) => {
    const row = P.subarray(i * D, (i + 1) * D);
    const one = row.findIndex((value) => Math.abs(value - 1) < AVERAGED);
    if (one < 0 || row.some((value, j) => j !== one && !(Math.abs(value) < AVERAGED)))
      throw new NinaError(`${name} is not a permutation matrix: row ${i} does not hold a single 1. Export it again.`);
    return one;
  });
}

function floats(tensors: StateDict, name: string): Float32Array {
  const { data } = tensors[name];
  if (!(data instanceof Float32Array)) throw new NinaError(`${name} holds integers, wanted float32. Export it again.`);
  return data;
}
