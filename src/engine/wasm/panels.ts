/**
 * Matrices as the product kernel reads them (tensor/wasm/product.ts): panels of 8 columns, padded with zeros to as many
 * rows as it takes at once.
 */
import { size } from '../../tensor/tensor.ts';
import type { Assembler, Code, Func, Local } from '../../tensor/wasm/assembler.ts';
import { float32, packFloat32 } from '../../tensor/wasm/float32.ts';
import { advance, call, f32x4, i32, loopWhile, repeat, v128, when } from '../../tensor/wasm/instructions.ts';
import { PANEL, paddedInputs, roundUp } from '../../tensor/wasm/product.ts';
import type { Lowering } from './lowering.ts';
import type { Buffer } from './memory.ts';
import { rowMajor, type View } from './view.ts';

/** Numbers of a packed matrix [K, N]. */
export const panelNumbers = (K: number, N: number): number => roundUp(N, PANEL) * paddedInputs(float32, K);

/**
 * The matrices of a constant b as panels: a view [..., K, N] of which only the axes before the last two are meant. Those
 * of a weight are written by the host, others are packed once they are computed.
 */
export function pack(g: Lowering, b: View): View {
  const [K, N] = b.shape.slice(-2) as [number, number];
  const lead = b.shape.slice(0, -2);
  const each = panelNumbers(K, N);
  const steps = rowMajor(lead).map((s) => s * each);
  const panels = (buffer: Buffer): View => ({ buffer, offset: 0, shape: b.shape, strides: [...steps, 0, 0] });
  const room = g.buffer(size(lead) * each, true);
  const { data } = b.buffer;
  if (data) return panels({ ...room, fill: (out) => packHere(out, data, b) });
  const packing = packer(g);
  const axes = lead.map((turns, i) => ({ turns, by: [b.strides[i], steps[i]] }));
  g.step(true, [b.buffer, room], (walk) => walk(axes, [b, panels(room)], ([from, to]) => packing(from, b, to)));
  return panels(room);
}

/** The panels of every matrix of a view of `data`, one after another. */
function packHere(out: Float32Array, data: Float32Array, { offset, shape, strides }: View): void {
  const [[K, N], [kStep, nStep]] = [shape.slice(-2), strides.slice(-2)];
  const each = panelNumbers(K, N);
  const lead = rowMajor(shape.slice(0, -2));
  for (let i = 0; i * each < out.length; i++) {
    const from = lead.reduce((sum, s, axis) => sum + (Math.floor(i / s) % shape[axis]) * strides[axis], offset);
    packFloat32(out.subarray(i * each, (i + 1) * each), paddedInputs(float32, K), roundUp(N, PANEL), (k, n) =>
      k < K && n < N ? data[from + k * kStep + n * nStep] : 0,
    );
  }
}

/** The call that packs one matrix [K, N] with the strides of b. */
export function packer(g: Lowering): (from: Code, b: View, to: Code) => Code {
  const kernel = g.kernel('pack', packKernel);
  return (from, { shape, strides }, to) => {
    const [[K, N], [kStep, nStep]] = [shape.slice(-2), strides.slice(-2)];
    const spare = paddedInputs(float32, K) - K;
    return call(
      kernel,
      from,
      i32.const(4 * kStep),
      i32.const(4 * nStep),
      to,
      i32.const(K),
      i32.const(N),
      i32.const(spare),
    );
  };
}

/** pack(b, kStep, nStep, to, K, N, spare): columns beyond N hold anything, `spare` rows beyond K zeros. */
function packKernel(m: Assembler, name: string): Func {
  return m.func(name, Array(7).fill('i32'), (scope) => {
    const [b, kStep, nStep, to, K, N, spare] = scope.params as Local[] & { length: 7 };
    const [width, column, left, start, first, from, y] = scope.locals('i32', 7) as Local[] & { length: 7 };
    const [rowBytes, panel] = [4 * PANEL, i32.const(PANEL)];
    const next = (pointer: Local, step: Local) => pointer.set(i32.add(pointer.get, step.get));
    const rows = (move: Code): Code => [
      from.set(start.get),
      y.set(first.get),
      repeat(left, K.get, [move, next(from, kStep), advance(y, rowBytes)]),
    ];
    const wholeRows = rows([0, 16].map((half) => v128.store(y.get, v128.load(from.get, half), half)));
    const columns = [
      column.set(width.get),
      loopWhile(column.get, [
        rows(i32.store(y.get, i32.load(from.get))),
        next(start, nStep),
        advance(first, 4),
        advance(column, -1),
      ]),
    ];
    return loopWhile(N.get, [
      width.set(panel),
      when(i32.ltU(N.get, panel), width.set(N.get)),
      start.set(b.get),
      first.set(to.get),
      when(i32.eq(nStep.get, i32.const(4)), wholeRows, columns),
      to.set(i32.add(to.get, i32.mul(K.get, i32.const(rowBytes)))),
      left.set(spare.get),
      loopWhile(left.get, [
        [0, 16].map((half) => v128.store(to.get, f32x4.const(0), half)),
        advance(to, rowBytes),
        advance(left, -1),
      ]),
      b.set(i32.add(b.get, i32.mul(nStep.get, panel))),
      N.set(i32.sub(N.get, width.get)),
    ]);
  });
}
