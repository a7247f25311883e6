/**
 * Where every number of the reference's RealNVP lies in our parameters: one row per rectangular piece.
 */
import type { Shape } from '../../tensor/index.ts';
import type { NinaConfig } from './config.ts';

export interface Piece {
  /** The reference's name and shape (a vector is one row). */
  readonly name: string;
  readonly shape: Shape;
  /** Which rows [from, to) and columns [from, to) of it. */
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
  /** Our leaf, and where in it the piece starts. */
  readonly path: string;
  readonly offset: number;
}

/** The pieces of every parameter that matters. */
export function pieces(config: NinaConfig): Piece[] {
  const { backbone, n_layers, use_plu, chunk_length, action_dim } = config;
  const D = chunk_length * action_dim;
  const stride = use_plu ? 3 : 2;
  return Array.from({ length: n_layers }, (_, i) => [
    ...(backbone === 'mlp' ? mlpPieces : transformerPieces)(config, i, `layers.${stride * i + 1}`),
    ...(use_plu ? pluPieces(D, i, `layers.${stride * i + 2}`) : []),
  ]).flat();
}

/** Reference parameters that no output depends on, wholly. Of cross-attention's in_proj, only the value rows matter. */
export function deadNames({
  backbone,
  n_layers,
  use_plu,
  affine_dim: H,
  block_depth,
  cond_dim,
}: NinaConfig): Map<string, Shape> {
  const dead = new Map<string, Shape>();
  for (let i = 0; backbone === 'trans' && i < n_layers; i++) {
    const net = `layers.${(use_plu ? 3 : 2) * i + 1}.net`;
    dead.set(`${net}.cond_proj.weight`, [H, cond_dim]).set(`${net}.cond_proj.bias`, [H]);
    for (let j = 0; j < block_depth; j++)
      for (const name of ['weight', 'bias']) dead.set(`${net}.subblocks.${j}.norm2.${name}`, [H]);
  }
  return dead;
}

function whole(name: string, shape: Shape, path: string, offset = 0): Piece {
  return { name, shape, rows: [0, shape.length > 1 ? shape[0] : 1], columns: [0, shape.at(-1)!], path, offset };
}

/** Weight [out, width] and bias [out] of a linear layer, member `k` of a stack. */
function affine(name: string, out: number, width: number, path: string, k = 0): Piece[] {
  return [
    whole(`${name}.weight`, [out, width], `${path}.weight`, k * out * width),
    whole(`${name}.bias`, [out], `${path}.bias`, k * out),
  ];
}

function norm(name: string, width: number, path: string, k = 0): Piece[] {
  return ['weight', 'bias'].map((part) => whole(`${name}.${part}`, [width], `${path}.${part}`, k * width));
}

function pluPieces(D: number, i: number, name: string): Piece[] {
  return [
    whole(`${name}.s`, [D], 'plu.s', i * D),
    whole(`${name}.U`, [D, D], 'plu.U', i * D * D),
    whole(`${name}.L`, [D, D], 'plu.L', i * D * D),
  ];
}

function mlpPieces(
  { affine_dim: H, cond_dim: C, chunk_length, action_dim }: NinaConfig,
  i: number,
  name: string,
): Piece[] {
  const half = (chunk_length * action_dim) / 2;
  const ours = `mlp.layers.${i}`;
  return ['scale_net', 'shift_net'].flatMap((twin, k): Piece[] => {
    const net = `${name}.${twin}.net`;
    const first = { name: `${net}.0.weight`, shape: [H, half + C], rows: [0, H] } as const;
    return [
      { ...first, columns: [0, half], path: `${ours}.first`, offset: k * H * half },
      { ...first, columns: [half, half + C], path: 'mlp.cond.weight', offset: (2 * i + k) * H * C },
      whole(`${net}.0.bias`, [H], 'mlp.cond.bias', (2 * i + k) * H),
      ...norm(`${net}.1`, H, `${ours}.hidden.0.norm`, k),
      ...affine(`${net}.3`, H, H, `${ours}.hidden.0.linear`, k),
      ...norm(`${net}.4`, H, `${ours}.hidden.1.norm`, k),
      ...affine(`${net}.6`, half, H, `${ours}.hidden.1.linear`, k),
    ];
  });
}

function transformerPieces(
  { affine_dim: H, block_depth, cond_dim: C, action_dim: A }: NinaConfig,
  i: number,
  name: string,
): Piece[] {
  const net = `${name}.net`;
  const ours = `trans.layers.${i}`;
  const blocks = Array.from({ length: block_depth }, (_, j): Piece[] => {
    const [block, our] = [`${net}.subblocks.${j}`, `${ours}.blocks.${j}`];
    const inProj = `${block}.cross_attn.in_proj_`;
    return [
      ...norm(`${block}.norm1`, H, `${our}.norm`),
      whole(`${block}.self_attn.in_proj_weight`, [3 * H, H], `${our}.self.qkv.weight`),
      whole(`${block}.self_attn.in_proj_bias`, [3 * H], `${our}.self.qkv.bias`),
      ...affine(`${block}.self_attn.out_proj`, H, H, `${our}.self.out`),
      ...affine(`${block}.cond_proj`, H, C, `${our}.cross.condProj`),
      { ...whole(`${inProj}weight`, [3 * H, H], `${our}.cross.value.weight`), rows: [2 * H, 3 * H] },
      { ...whole(`${inProj}bias`, [3 * H], `${our}.cross.value.bias`), columns: [2 * H, 3 * H] },
      ...affine(`${block}.cross_attn.out_proj`, H, H, `${our}.cross.out`),
    ];
  });
  return [
    ...affine(`${net}.input_proj`, H, A, `${ours}.input`),
    ...blocks.flat(),
    ...norm(`${net}.norm3`, H, `${ours}.norm`),
    ...['ff_mult', 'ff_shift'].flatMap((head, k) => [
      ...affine(`${net}.${head}.0`, 2 * H, H, `${ours}.widen`, k),
      ...affine(`${net}.${head}.3`, A, 2 * H, `${ours}.narrow`, k),
    ]),
  ];
}
