/**
 * Parameter trees over one flat Float32Array.
 *
 * A model's parameters are nested plain objects and arrays; a leaf's path is its dotted name ('layers.0.weight').
 * The optimizer sees one flat array, the graph sees one input per leaf, and both are views of the same numbers.
 */
import { input, lazyWeight, type Shape, show, size, type Tensor, weight } from './tensor.ts';

export interface NDArray {
  readonly shape: Shape;
  readonly data: Float32Array;
  /** That `data` is read anew whenever it is asked for: numbers that are needed once need not be held at once. */
  readonly lazy?: true;
  /** Of numbers that files store in half the bytes, as they came. */
  readonly dtype?: 'F16' | 'BF16';
}

/** An array whose numbers are read when they are asked for, each time. */
export const lazily = (shape: Shape, read: () => Float32Array): NDArray => ({
  shape,
  lazy: true,
  get data() {
    return read();
  },
});

/**
 * A parameter before it has numbers. A model's tree of these is its blueprint: shapes, sizes and groups are known from it,
 * and nothing is drawn.
 */
export interface Spec {
  readonly shape: Shape;
  /** Whether weight decay pulls it to zero. */
  readonly decay: boolean;
  /** Its initial numbers, the same at every call, in an array of their own. */
  draw(): Float32Array;
}

export type Tree<T> = T | readonly Tree<T>[] | { readonly [name: string]: Tree<T> };

const isLeaf = (t: unknown): boolean =>
  typeof t !== 'object' || t === null || Array.isArray((t as { shape?: unknown }).shape);

/** Leaves with their dotted paths, in order of insertion. A leaf is anything with a `shape`. */
export function leaves<T>(tree: Tree<T>, prefix = ''): [path: string, leaf: T][] {
  if (isLeaf(tree)) return [[prefix, tree as T]];
  return Object.entries(tree as Record<string, Tree<T>>).flatMap(([name, child]) =>
    leaves(child, prefix ? `${prefix}.${name}` : name),
  );
}

/** The tree `Source` with leaves of type U. Of a tree that may be any, no more is known than that. */
export type MapTree<Source, U> = [Tree<never>] extends [Source]
  ? Tree<U>
  : Source extends { readonly shape: Shape }
    ? U
    : { [K in keyof Source]: MapTree<Source[K], U> };

/** The same tree with each leaf replaced; leaf types follow the structure of the source. */
export function mapTree<S, L, U>(tree: S, f: (leaf: L, path: string) => U, prefix = ''): MapTree<S, U> {
  if (isLeaf(tree)) return f(tree as unknown as L, prefix) as MapTree<S, U>;
  const go = (child: unknown, name: string | number) => mapTree(child, f, prefix ? `${prefix}.${name}` : `${name}`);
  const out = Array.isArray(tree)
    ? tree.map(go)
    : Object.fromEntries(Object.entries(tree as object).map(([name, child]) => [name, go(child, name)]));
  return out as MapTree<S, U>;
}

/** Where each leaf lies in the flat array. */
export interface Layout {
  readonly entries: readonly {
    readonly path: string;
    readonly shape: Shape;
    readonly offset: number;
    readonly size: number;
  }[];
  readonly size: number;
}

/** Where each leaf lies in one flat array, in the order of `leaves`. */
export function layoutOf(tree: Tree<{ readonly shape: Shape }>): Layout {
  let offset = 0;
  const entries = leaves(tree).map(([path, { shape }]) => {
    const entry = { path, shape: [...shape], offset, size: size(shape) };
    offset += entry.size;
    return entry;
  });
  return { entries, size: offset };
}

/** All leaves copied into one flat array. @throws Error if a leaf's data does not fill its shape. */
export function pack(tree: Tree<NDArray>): { layout: Layout; flat: Float32Array } {
  const layout = layoutOf(tree);
  const flat = new Float32Array(layout.size);
  leaves(tree).forEach(([path, leaf], i) => {
    const entry = layout.entries[i];
    if (leaf.data.length !== entry.size)
      throw new Error(
        `Parameter ${path} of shape ${show(leaf.shape)} has ${leaf.data.length} numbers, not ${entry.size}.`,
      );
    flat.set(leaf.data, entry.offset);
  });
  return { layout, flat };
}

/** Views of the flat array, by path; no copies. */
export function feeds(layout: Layout, flat: Float32Array, prefix = ''): Record<string, Float32Array> {
  return Object.fromEntries(layout.entries.map((e) => [prefix + e.path, flat.subarray(e.offset, e.offset + e.size)]));
}

/** The tree with each leaf's data replaced by a view of the flat array. */
export function unpack<S>(tree: S, flat: Float32Array): MapTree<S, NDArray> {
  let offset = 0;
  return mapTree(tree, (leaf: { shape: Shape }) => {
    const start = offset;
    offset += size(leaf.shape);
    return { shape: leaf.shape, data: flat.subarray(start, offset) };
  });
}

/** Leaves by their paths: what a program calls the members of a tree. */
export function byPath<L = Tensor>(tree: unknown, prefix = ''): Record<string, L> {
  return Object.fromEntries(leaves<L>(tree as Tree<L>).map(([path, leaf]) => [prefix + path, leaf]));
}

/** The tree with each leaf replaced by a graph input named by its path. */
export function symbols<S>(tree: S, prefix = ''): MapTree<S, Tensor> {
  return mapTree(tree, (leaf: { shape: Shape }, path) => input(prefix + path, leaf.shape));
}

/** The tree with each leaf a weight of the graph: a model whose programs are not fed its parameters. */
export function freeze<S>(tree: S): MapTree<S, Tensor> {
  return mapTree(tree, (leaf: NDArray) => (leaf.lazy ? lazyWeight(leaf) : weight(leaf.data, leaf.shape)));
}

/** The initial parameters of a blueprint. @throws Error if a leaf draws more or fewer numbers than its shape has. */
export function materialise<S>(blueprint: S): MapTree<S, NDArray> {
  return mapTree(blueprint, (spec: Spec, path): NDArray => {
    const data = spec.draw();
    if (data.length !== size(spec.shape))
      throw new Error(`Parameter ${path} of shape ${show(spec.shape)} drew ${data.length} numbers.`);
    return { shape: spec.shape, data };
  });
}
