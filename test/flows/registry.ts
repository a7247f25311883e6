/**
 * Every bijection that the battery tests. A new bijection is tested by adding a line.
 */
import * as nina from '../../src/decoders/nina/index.ts';
import {
  type Bijection,
  chain,
  coupling,
  flip,
  initPlu,
  permutation,
  pluInverses,
  pluStack,
  realNvp,
  realNvpInverses,
} from '../../src/flows/index.ts';
import { initMlp, type Mlp, mlp } from '../../src/nn/index.ts';
import { fold, key, normals, permutation as randomOrder } from '../../src/random.ts';
import {
  concat,
  leaves,
  mapTree,
  materialise,
  type NDArray,
  reshape,
  split,
  type Tensor,
  type Tree,
} from '../../src/tensor/index.ts';

export type Leaves<T> = { readonly [path: string]: T };

/** A bijection of [B, D] under a condition [B, C], with parameters away from any special value. */
export interface Specimen {
  readonly D: number;
  /** By path. */
  readonly params: Leaves<NDArray>;
  bind(p: Leaves<Tensor>, cond: Tensor, inverses?: Tensor): Bijection;
  /** What only the inverse needs, from the parameters. */
  inverses?(params: Leaves<NDArray>): NDArray | undefined;
}

export interface Entry {
  readonly name: string;
  /** A specimen of D dimensions. */
  make(D: number): Specimen;
  readonly volumePreserving?: true;
  /** Flexible enough to learn any of the test densities in two dimensions. */
  readonly flexible?: true;
}

/** Width of the condition. */
export const C = 3;
const HIDDEN = 16;
const root = key(20);

/**
 * A specimen from a typed parameter tree. Noise is added, so that no parameter sits at the zero or one that
 * initialisation gave it.
 */
function specimen<P extends Tree<NDArray>>(
  D: number,
  params: P,
  bind: (p: never, cond: Tensor, inverses?: Tensor) => Bijection,
  inverses?: (params: P) => NDArray | undefined,
): Specimen {
  const disturbed = leaves<NDArray>(params).map(([path, { shape, data }]): [string, NDArray] => {
    const noise = normals(fold(root, path), data.length);
    return [path, { shape, data: data.map((v, i) => v + 0.1 * noise[i]) }];
  });
  const nested = (flat: Leaves<unknown>) => mapTree<unknown, NDArray, unknown>(params, (_, path) => flat[path]);
  return {
    D,
    params: Object.fromEntries(disturbed),
    bind: (p, cond, prepared) => bind(nested(p) as never, cond, prepared),
    inverses: (values) => inverses?.(nested(values) as P),
  };
}

const orders = (n: number, D: number) =>
  Array.from({ length: n }, (_, i) => [...randomOrder(fold(root, 'order', i), D)]);

const conditionerWidths = (D: number) => [Math.floor(D / 2) + C, HIDDEN, 2 * Math.ceil(D / 2)];

const conditioner = (p: Mlp<Tensor>, cond: Tensor, D: number) => (x1: Tensor) => {
  const half = Math.ceil(D / 2);
  const [s, t] = split(mlp(p, concat([x1, cond], 1)), 1, [half, half]);
  return [s, t] as const;
};

const oneCoupling = (D: number) =>
  specimen(D, materialise(initMlp(root, conditionerWidths(D))), (p: Mlp<Tensor>, cond) =>
    coupling(conditioner(p, cond, D)),
  );

function onePlu(D: number): Specimen {
  const blueprint = initPlu(root, 1, D);
  const params = materialise(blueprint.params);
  const rows = [blueprint.rows(0)];
  return specimen(
    D,
    params,
    (p: Parameters<typeof pluStack>[0], _, inverses) => pluStack(p, { rows }, inverses)[0],
    (values) => pluInverses(values, { rows }),
  );
}

function nvp(D: number, n: number, usePlu: boolean): Specimen {
  const permutations = orders(n, D);
  const nets = Array.from({ length: n }, (_, i) => materialise(initMlp(fold(root, i), conditionerWidths(D))));
  const blueprint = initPlu(root, n, D);
  const plu = {
    params: materialise(blueprint.params),
    rows: Array.from({ length: n }, (_, i) => blueprint.rows(i)),
  };
  type P = { nets: Mlp<Tensor>[]; plu?: Parameters<typeof pluStack>[0] };
  return specimen(
    D,
    { nets, ...(usePlu && { plu: plu.params }) },
    (p: P, cond, inverses) =>
      realNvp(
        permutations,
        p.nets.map((net) => conditioner(net, cond, D)),
        p.plu && { params: p.plu, rows: plu.rows, inverses },
      ),
    (values) => values.plu && realNvpInverses(permutations, values.plu, plu.rows),
  );
}

/** NinA with chunks [T, A] of D numbers. */
function decoder(D: number, T: number, options: Partial<nina.NinaConfig>): Specimen {
  const A = D / T;
  const config = nina.ninaSchema.parse({ cond_dim: C, chunk_length: T, action_dim: A, n_heads: 2, ...options });
  const { params, buffers } = nina.init(root, config);
  const chunk = (x: Tensor) => reshape(x, [x.shape[0], T, A]);
  const flat = ([y, logDet]: [Tensor, Tensor]) => [reshape(y, [y.shape[0], D]), logDet] as const;
  return specimen(
    D,
    params,
    (p: nina.Params<Tensor>, cond, inverses) => ({
      forward: (x) => flat(nina.encode(config, buffers, p, chunk(x), cond)),
      inverse: (z) => flat(nina.decode(config, buffers, p, chunk(z), cond, inverses)),
    }),
    (values) => nina.pluInverse(config, { params: values, buffers }),
  );
}

export const REGISTRY: readonly Entry[] = [
  { name: 'permutation', make: (D) => specimen(D, {}, () => permutation(orders(1, D)[0])), volumePreserving: true },
  { name: 'affine coupling', make: oneCoupling },
  { name: 'PLU', make: onePlu },
  {
    name: 'flipped coupling',
    make: (D) => {
      const { params, bind } = oneCoupling(D);
      return { D, params, bind: (p, cond) => flip(bind(p, cond)) };
    },
  },
  {
    name: 'chain of coupling, PLU, coupling',
    make: (D) => {
      const [a, b] = [oneCoupling(D), onePlu(D)];
      return {
        D,
        params: { ...a.params, ...b.params },
        bind: (p, cond, inverses) => chain([a.bind(p, cond), b.bind(p, cond, inverses), a.bind(p, cond)]),
        inverses: b.inverses,
      };
    },
  },
  { name: 'RealNVP', make: (D) => nvp(D, 6, false), flexible: true },
  { name: 'RealNVP with PLU', make: (D) => nvp(D, 4, true), flexible: true },
  {
    name: 'NinA mlp',
    make: (D) => decoder(D, D, { backbone: 'mlp', n_layers: 4, affine_dim: HIDDEN }),
    flexible: true,
  },
  { name: 'NinA mlp without PLU', make: (D) => decoder(D, D, { n_layers: 3, affine_dim: HIDDEN, use_plu: false }) },
  {
    name: 'NinA trans',
    make: (D) => decoder(D, D > 2 ? 4 : 2, { backbone: 'trans', n_layers: 4, affine_dim: HIDDEN, block_depth: 1 }),
    flexible: true,
  },
  {
    name: 'NinA trans without PLU',
    make: (D) =>
      decoder(D, D > 2 ? 4 : 2, { backbone: 'trans', n_layers: 2, affine_dim: HIDDEN, block_depth: 2, use_plu: false }),
  },
];
