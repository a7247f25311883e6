/**
 * Parameter groups: which runs of the flat parameter array an optimizer treats alike. They are data that follow from the
 * blueprint, where each layer says what decays, and from rules about subtrees (a frozen backbone, a slower encoder).
 */

import { size } from './tensor.ts';
import { leaves, type Spec, type Tree } from './tree.ts';

/** The numbers [start, end) of the flat array. */
export interface ParameterGroup {
  readonly start: number;
  readonly end: number;
  /** Whether weight decay pulls them to zero. */
  readonly decay: boolean;
  /** Whether they stay as they are. */
  readonly frozen: boolean;
  /** Factor of the learning rate. */
  readonly rate: number;
}

/** What holds for the parameters under one path: 'encoder', 'decoder.layers.0'. */
export interface GroupRule {
  readonly under: string;
  readonly frozen?: boolean;
  readonly rate?: number;
}

/**
 * The groups of a blueprint in the order of its layout; neighbours that are treated alike are one group. Of several rules
 * for one parameter each adds what it says, a later one over an earlier.
 * @throws Error for a rule under a path that no parameter has.
 */
export function groupsOf(blueprint: Tree<Spec>, rules: readonly GroupRule[] = []): ParameterGroup[] {
  const named = leaves<Spec>(blueprint);
  const applies = ({ under }: GroupRule, path: string) => path === under || path.startsWith(`${under}.`);
  const unused = rules.find((rule) => !named.some(([path]) => applies(rule, path)));
  if (unused) throw new Error(`No parameter is under ${unused.under}, of which a rule for parameter groups speaks.`);
  const groups: ParameterGroup[] = [];
  let start = 0;
  for (const [path, { shape, decay }] of named) {
    const ruled = rules.filter((rule) => applies(rule, path));
    const frozen = ruled.findLast((rule) => rule.frozen !== undefined)?.frozen ?? false;
    const rate = ruled.findLast((rule) => rule.rate !== undefined)?.rate ?? 1;
    const end = start + size(shape);
    const last = groups.at(-1);
    if (last && last.decay === decay && last.frozen === frozen && last.rate === rate)
      groups[groups.length - 1] = { ...last, end };
    else groups.push({ start, end, decay, frozen, rate });
    start = end;
  }
  return groups;
}
