/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101) fused with the exponential moving average of the weights: one pass
 * over flat arrays, since the optimizer is bound by memory and would otherwise read the weights twice.
 */
import { pow } from '../math.ts';
/** Everything that training changes, each array as long as the parameter layout. */
export interface OptimizerState {
  readonly params: Float32Array;
  /** First and second moments of the gradient. */
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** Exponential moving average of `params`. */
  readonly ema: Float32Array;
}

/** A run of the flat arrays with one decay rule. */
export interface DecayGroup {
  readonly start: number;
  readonly end: number;
  readonly decays: boolean;
}

export interface AdamwSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  readonly emaDecay: number;
}

const EPSILON = 1e-8;

/** Fresh state: zero moments, the average equal to the weights. */
export function optimizerState(params: Float32Array): OptimizerState {
  return { params, m: new Float32Array(params.length), v: new Float32Array(params.length), ema: params.slice() };
}

/**
 * Neighbouring parameters with the same rule, merged. Matrices decay; biases, norms (also stacked ones, which have the
 * rank of matrices) and the flow's diagonal `s` (whose pull to zero would make the map singular) do not.
 */
export function decayGroups(
  entries: readonly { path: string; shape: readonly number[]; offset: number; size: number }[],
): DecayGroup[] {
  const groups: DecayGroup[] = [];
  for (const { path, shape, offset, size } of entries) {
    const decays = shape.length >= 2 && !/(^|\.)(bias|s|norm\d*\..*)$/.test(path);
    const last = groups.at(-1);
    if (last?.decays === decays && last.end === offset) groups[groups.length - 1] = { ...last, end: offset + size };
    else groups.push({ start: offset, end: offset + size, decays });
  }
  return groups;
}

/**
 * One update in place. `step` counts updates from 0.
 *   w <- w (1 - lr wd);  m, v <- moments of g;  w <- w - lr m^ / (sqrt(v^) + eps);  ema <- ema + (1 - d)(w - ema)
 */
export function adamwUpdate(
  state: OptimizerState,
  gradient: Float32Array,
  groups: readonly DecayGroup[],
  step: number,
  { learningRate, beta1, beta2, weightDecay, emaDecay }: AdamwSettings,
): void {
  const { params, m, v, ema } = state;
  const rate = learningRate / (1 - pow(beta1, step + 1));
  const unbias = 1 / Math.sqrt(1 - pow(beta2, step + 1));
  const c1 = 1 - beta1;
  const c2 = 1 - beta2;
  const pull = 1 - emaDecay;
  for (const { start, end, decays } of groups) {
    const shrink = decays ? 1 - learningRate * weightDecay : 1;
    for (let i = start; i < end; i++) {
      const g = gradient[i];
      const mi = beta1 * m[i] + c1 * g;
      const vi = beta2 * v[i] + c2 * g * g;
      const w = params[i] * shrink - (rate * mi) / (Math.sqrt(vi) * unbias + EPSILON);
      m[i] = mi;
      v[i] = vi;
      params[i] = w;
      ema[i] = ema[i] + pull * (w - ema[i]);
    }
  }
}

/** Euclidean norm, accumulated in float64; NaN or Infinity anywhere shows in the result. */
export function norm(values: Float32Array): number {
  let a = 0;
  let b = 0;
  const even = values.length - (values.length % 2);
  for (let i = 0; i < even; i += 2) {
    a += values[i] * values[i];
    b += values[i + 1] * values[i + 1];
  }
  if (even < values.length) a += values[even] * values[even];
  return Math.sqrt(a + b);
}
