/**
 * Common subexpressions: nodes with the same operation, attributes and (already shared) arguments become one.
 * Derivatives repeat what the forward pass computed; this is where the repetition disappears.
 */
import { is, type Tensor, topological } from '../tensor.ts';

/** Constants of at most so many numbers are compared by them; of larger ones none are, in practice, the same. */
export const SHAREABLE = 1 << 14;

/** For every node the outputs depend on, the node that stands for it. */
export function shareCommon(outputs: readonly Tensor[]): Map<Tensor, Tensor> {
  const representative = new Map<Tensor, Tensor>();
  const byContent = new Map<string, Tensor>();
  const arrays = new Map<object, number>();
  for (const t of topological(outputs)) {
    const args = t.args.map((a) => representative.get(a)!);
    const moved = args.some((a, i) => a !== t.args[i]);
    const candidate: Tensor = moved ? { ...t, args } : t;
    const content = contentOf(candidate, arrays);
    const existing = byContent.get(content);
    representative.set(t, existing ?? candidate);
    if (!existing) byContent.set(content, candidate);
  }
  return representative;
}

/** @param arrays the arrays of weights so far, numbered: weights are the same if they read the same array, or have the same source. */
function contentOf(t: Tensor, arrays: Map<object, number>): string {
  if (is(t, 'weight')) {
    const source = t.attrs.lazy ? t.attrs : t.attrs.data;
    if (!arrays.has(source)) arrays.set(source, arrays.size);
    return `weight ${t.shape} ${arrays.get(source)}`;
  }
  if (is(t, 'constant'))
    return t.attrs.data.length <= SHAREABLE ? `constant ${t.shape} ${t.attrs.data}` : `constant #${t.id}`;
  if (is(t, 'input')) return `input ${t.attrs.name} ${t.shape} ${t.dtype}`;
  const ids = t.args.map((a) => a.id);
  if (t.op === 'add' || t.op === 'mul') ids.sort((a, b) => a - b);
  return `${t.op} ${ids} ${t.shape} ${JSON.stringify(t.attrs)}`;
}
