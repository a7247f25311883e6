/**
 * Which parameters a training changes. The others stay as they began: no gradient is computed for them, the optimizer does
 * not know them, and what they make of the demonstrations is computed once (kept.ts).
 */
import { type EncoderConfig, encoderOf } from '../encoders/index.ts';
import { type GroupRule, leaves, type MapTree, mapTree, type Shape, type Spec, type Tree } from '../tensor/index.ts';
import type { TrainingSettings } from './config.ts';

export type Freeze = TrainingSettings['freeze'];

/** Parameters that are trained otherwise than the rest. */
export const rulesOf = ({ freeze, encoder_rate }: Pick<TrainingSettings, 'freeze' | 'encoder_rate'>): GroupRule[] =>
  freeze === 'encoder' ? [] : [{ under: 'encoder', rate: encoder_rate }];

/** Paths under which parameters are frozen. */
export function frozenPaths(encoder: EncoderConfig, freeze: Freeze): readonly string[] {
  if (freeze === 'none') return [];
  if (freeze === 'encoder') return ['encoder'];
  return encoderOf(encoder).trunk!.paths.map((path) => `encoder.${path}`);
}

const isUnder = (path: string, paths: readonly string[]) =>
  paths.some((one) => path === one || path.startsWith(`${one}.`));

/** The tree without what lies under these paths. */
export function without<T>(tree: Tree<T>, paths: readonly string[], prefix = ''): Tree<T> {
  const children = Object.entries(tree as Readonly<Record<string, Tree<T>>>).map(
    ([name, child]) => [name, child, prefix ? `${prefix}.${name}` : name] as const,
  );
  const kept = children.filter(([, , path]) => !paths.includes(path));
  return Object.fromEntries(
    kept.map(([name, child, path]) => [
      name,
      paths.some((one) => one.startsWith(`${path}.`)) ? without(child, paths, path) : child,
    ]),
  );
}

/** Their shapes alone, as a message carries them. */
export const shapesOf = (tree: Tree<Spec>): Tree<{ readonly shape: Shape }> =>
  mapTree(tree, ({ shape }: Spec) => ({ shape }));

/** What lies under these paths, leaf by leaf. */
export const under = <T>(tree: Tree<T>, paths: readonly string[]): ReadonlyMap<string, T> =>
  new Map(leaves<T>(tree).filter(([path]) => isUnder(path, paths)));

/** The whole tree again, of the plan's structure: trained leaves and frozen ones in their places. */
export function together<P, T>(plan: P, trained: Tree<T>, frozen: ReadonlyMap<string, T>): MapTree<P, T> {
  const all = new Map([...frozen, ...leaves<T>(trained)]);
  return mapTree(plan, (_: unknown, path): T => {
    const leaf = all.get(path);
    if (leaf === undefined) throw new Error(`No part of the model holds ${path}.`);
    return leaf;
  });
}
