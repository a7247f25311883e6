/**
 * Parity fixtures, of a decoder or an encoder: a safetensors file of weights ('weights.*'), inputs, and what the reference
 * computed from them ('expected.*', gradients as 'expected.grad.*').
 */
import { NinaError } from './errors.ts';
import type { SafetensorsFile, StoredTensor } from './safetensors-format.ts';

/** How far a model is from its reference. */
export interface Comparison<Quantity extends string = string> {
  /** max|ours - reference| / max|reference|; `grad_max` is that of the worst gradient tensor. */
  readonly errors: Readonly<Record<Quantity, number>>;
  /** What each may be at most in float32. */
  readonly limits: Readonly<Record<Quantity, number>>;
  /** The gradient tensor that `grad_max` is of. */
  readonly worstGradient: string;
  /** Reference parameters that no output depends on. */
  readonly dead: readonly string[];
}

/** Below this the reference's gradient is rounding noise around zero, and its own size is no yardstick. */
const NEGLIGIBLE_GRADIENT = 1e-6;

/** Quantities beyond their limits; a NaN is beyond any. */
export function exceeded<Quantity extends string>({ errors, limits }: Comparison<Quantity>): Quantity[] {
  return (Object.keys(errors) as Quantity[]).filter((q) => !(errors[q] <= limits[q]));
}

/** The weights of a fixture under the reference's names. */
export function weightsOf({ tensors }: SafetensorsFile): Record<string, StoredTensor> {
  const prefix = 'weights.';
  const inside = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(inside.map(([name, t]) => [name.slice(prefix.length), t]));
}

/**
 * The numbers of a tensor of the fixture.
 * @param count how many it must hold
 * @throws NinaError if the fixture has no such tensor of finite floats.
 */
export function floats(file: string, { tensors }: SafetensorsFile, name: string, count?: number): Float32Array {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array))
    throw new NinaError(`${file} has no float32 tensor ${name}: it is not a whole parity fixture.`);
  if (count !== undefined && data.length !== count)
    throw new NinaError(`${file}: ${name} holds ${data.length} numbers; its metadata asks for ${count}.`);
  const bad = data.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new NinaError(`${file}: ${name} is ${data[bad]} at ${bad}: nothing agrees with that.`);
  return data;
}

/** max|ours - reference| / max|reference|, where the reference is the fixture's 'expected.<name>'. */
export function relativeError(file: string, fixture: SafetensorsFile, name: string, ours: Float32Array): number {
  const reference = floats(file, fixture, `expected.${name}`);
  return difference(file, name, ours, reference) / largest(reference);
}

/** The worst of gradients under the reference's names, and its error. */
export function worstGradient(
  file: string,
  fixture: SafetensorsFile,
  gradients: Readonly<Record<string, { readonly data: Float32Array }>>,
): [name: string, error: number] {
  return Object.entries(gradients)
    .map(([name, { data }]): [string, number] => {
      const reference = floats(file, fixture, `expected.grad.${name}`);
      const scale = largest(reference);
      return [name, difference(file, name, data, reference) / (scale < NEGLIGIBLE_GRADIENT ? 1 : scale)];
    })
    .reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
}

const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

function difference(file: string, name: string, ours: Float32Array, reference: Float32Array): number {
  if (ours.length !== reference.length)
    throw new NinaError(`${file}: expected ${name} has ${reference.length} numbers, we computed ${ours.length}.`);
  return ours.reduce((most, v, i) => Math.max(most, Math.abs(v - reference[i])), 0);
}
