/**
 * AdamW (Loshchilov & Hutter, arXiv 1711.05101) fused with the exponential moving average of the weights, and the sum of
 * the shards' gradients with its squares: two WebAssembly functions in float32, each one pass over memory, because that
 * is what bounds an optimizer. What they compute of a number depends on that number alone, so any split among threads
 * gives the same bits.
 */
import { pow } from '../math.ts';
import type { Assembler, Code, Func, Local } from '../tensor/wasm/assembler.ts';
import { advance, f32, f32x4, f64x2, i32, loopWhile, repeat, v128 } from '../tensor/wasm/instructions.ts';

/** Byte offsets of the arrays in memory; number i of each lies 4 i bytes further. */
export interface Places {
  readonly params: number;
  /** First and second moments of the gradient. */
  readonly m: number;
  readonly v: number;
  /** Exponential moving average of the parameters. */
  readonly ema: number;
  readonly gradient: number;
}

export interface AdamwSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
  readonly emaDecay: number;
}

const EPSILON = 1e-8;

/** The arguments of the kernel for update number `step`, counted from 0. */
export function adamwArguments(step: number, settings: AdamwSettings, group: { decay: boolean; rate: number }) {
  const { beta1, beta2, weightDecay, emaDecay } = settings;
  const learningRate = settings.learningRate * group.rate;
  return [
    learningRate / (1 - pow(beta1, step + 1)),
    group.decay ? learningRate * weightDecay : 0,
    beta1,
    1 - beta1,
    beta2,
    1 - beta2,
    1 / Math.sqrt(1 - pow(beta2, step + 1)),
    1 - emaDecay,
  ] as const;
}

/**
 * adamw(at, count, ...adamwArguments): `count` numbers from byte `at` of each array, in place:
 *   m, v <- moments of g;  w <- w - (lr wd w + lr m^ / (sqrt(v^) + eps));  ema <- ema + (1 - d)(w - ema)
 */
export function adamwKernel(mod: Assembler, places: Places): Func {
  const scalars = Array.from({ length: 8 }, () => 'f32' as const);
  const body = (scope: { params: readonly Local[] }, vectors: readonly Local[], lanes: Local[], single: Local[]) => {
    const [at, count, ...given] = scope.params;
    const pass = (x: typeof f32x4 | typeof f32, memory: typeof v128 | typeof f32, s: readonly Local[], t: Local[]) =>
      update(at, places, x, memory, s, t);
    return [
      vectors.map((v, i) => v.set(f32x4.splat(given[i].get))),
      loopWhile(i32.geU(count.get, i32.const(4)), [
        pass(f32x4, v128, vectors, lanes),
        advance(at, 16),
        advance(count, -4),
      ]),
      loopWhile(count.get, [pass(f32, f32, given, single), advance(at, 4), advance(count, -1)]),
    ];
  };
  return mod.func(
    'adamw',
    ['i32', 'i32', ...scalars],
    (scope) => body(scope, scope.locals('v128', 8), scope.locals('v128', 4), scope.locals('f32', 4)),
    { exported: true },
  );
}

/** The update of four numbers or of one. */
function update(
  at: Local,
  places: Places,
  x: typeof f32x4 | typeof f32,
  memory: typeof v128 | typeof f32,
  scalars: readonly Local[],
  [g, m, v, w]: Local[],
): Code {
  const [rate, decay, beta1, c1, beta2, c2, unbias, pull] = scalars.map((s) => s.get);
  const load = (place: number) => memory.load(at.get, place);
  const store = (place: number, value: Code) => memory.store(at.get, value, place);
  const ema = load(places.ema);
  return [
    g.set(load(places.gradient)),
    m.set(x.add(x.mul(beta1, load(places.m)), x.mul(c1, g.get))),
    v.set(x.add(x.mul(beta2, load(places.v)), x.mul(x.mul(c2, g.get), g.get))),
    w.set(load(places.params)),
    w.set(
      x.sub(
        w.get,
        x.add(x.mul(decay, w.get), x.div(x.mul(rate, m.get), x.add(x.mul(x.sqrt(v.get), unbias), x.const(EPSILON)))),
      ),
    ),
    store(places.m, m.get),
    store(places.v, v.get),
    store(places.params, w.get),
    store(places.ema, x.add(ema, x.mul(pull, x.sub(w.get, ema)))),
  ];
}

/**
 * merge(sum, part, ofSum, ofPart, vectors, squares): sum = ofSum sum + ofPart part for so many vectors of four numbers;
 * the squares of the result, added up in float64, are written as two numbers whose sum is theirs. NaN or Infinity anywhere
 * shows in it.
 */
export function mergeKernel(mod: Assembler): Func {
  return mod.func(
    'merge',
    ['i32', 'i32', 'f32', 'f32', 'i32', 'i32'],
    (scope) => {
      const [sum, part, ofSum, ofPart, vectors, squares] = scope.params;
      const left = scope.local('i32');
      const [a, b, v, low, high] = scope.locals('v128', 5);
      const square = (total: Local, x: Code) => [v.set(x), total.set(f64x2.add(total.get, f64x2.mul(v.get, v.get)))];
      const merged = scope.local('v128');
      return [
        [low, high].map((total) => total.set(f32x4.const(0))),
        a.set(f32x4.splat(ofSum.get)),
        b.set(f32x4.splat(ofPart.get)),
        repeat(left, vectors.get, [
          merged.set(f32x4.add(f32x4.mul(a.get, v128.load(sum.get)), f32x4.mul(b.get, v128.load(part.get)))),
          v128.store(sum.get, merged.get),
          square(low, f64x2.fromF32(merged.get)),
          square(high, f64x2.fromF32(v128.shuffle32(merged.get, merged.get, [2, 3, 2, 3]))),
          advance(sum, 16),
          advance(part, 16),
        ]),
        v128.store(squares.get, f64x2.add(low.get, high.get)),
      ];
    },
    { exported: true },
  );
}
