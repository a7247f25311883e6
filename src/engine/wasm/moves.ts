/**
 * Steps that only move numbers: copies from any strides, rows by index, rows added up by index.
 */
import { type Shape, size } from '../../tensor/tensor.ts';
import type { Assembler, Code, Func, Local } from '../../tensor/wasm/assembler.ts';
import { advance, call, clear, f32, i32, loopWhile, repeat, v128, when } from '../../tensor/wasm/instructions.ts';
import { at, type Lowering } from './lowering.ts';
import type { Buffer } from './memory.ts';
import { collapse, rowMajor, type View, whole } from './view.ts';

/** The view without gaps: itself, or a copy. */
export function contiguous(g: Lowering, view: View): View {
  const { shapes, strides } = collapse(view.shape, [view.strides]);
  if (shapes.length === 1 && (shapes[0] === 1 || strides[0][0] === 1))
    return { ...view, strides: rowMajor(view.shape) };
  return g.once('copy', view, () => {
    const copied = whole(g.buffer(size(view.shape), view.buffer.constant), view.shape);
    copy(g, view, copied);
    return copied;
  });
}

/** Copies one view to another of the same shape. Nothing else is written. */
export function copy(g: Lowering, from: View, to: View): void {
  const { shapes, strides } = collapse(from.shape, [from.strides, to.strides]);
  const [x, y] = strides;
  // Numbers that lie apart in the target are rows of one.
  if (y[shapes.length - 1] !== 1) for (const list of [shapes, x, y]) list.push(1);
  const inner = shapes.length - 1;
  const kernel = g.kernel('copy', copyKernel);
  const row = (s: readonly number[]) => i32.const(4 * (s[inner - 1] ?? 0));
  const [step, rows, n] = [4 * x[inner], shapes[inner - 1] ?? 1, shapes[inner]].map(i32.const) as [Code, Code, Code];
  const outer = shapes.slice(0, -2).map((turns, i) => ({ turns, by: [x[i], y[i]] }));
  g.step(to.buffer.constant, [from.buffer, to.buffer], (walk) =>
    walk(outer, [from, to], ([a, b]) => call(kernel, a, row(x), step, b, row(y), rows, n)),
  );
}

/** copy(x, xRow, xStep, y, yRow, rows, n): n numbers, xStep bytes apart, to n neighbours; rows xRow and yRow bytes apart. */
function copyKernel(m: Assembler, name: string): Func {
  return m.func(name, Array(7).fill('i32'), (scope) => {
    const [x, xRow, xStep, y, yRow, rows, n] = scope.params as Local[] & { length: 7 };
    const [from, to, left] = scope.locals('i32', 3) as [Local, Local, Local];
    return loopWhile(rows.get, [
      from.set(x.get),
      to.set(y.get),
      left.set(n.get),
      when(i32.eq(xStep.get, i32.const(4)), vectors(from, to, left)),
      loopWhile(left.get, [
        i32.store(to.get, i32.load(from.get)),
        from.set(i32.add(from.get, xStep.get)),
        advance(to, 4),
        advance(left, -1),
      ]),
      x.set(i32.add(x.get, xRow.get)),
      y.set(i32.add(y.get, yRow.get)),
      advance(rows, -1),
    ]);
  });
}

/** As many whole vectors as there are. */
const vectors = (from: Local, to: Local, left: Local): Code =>
  loopWhile(i32.geU(left.get, i32.const(4)), [
    v128.store(to.get, v128.load(from.get)),
    advance(from, 16),
    advance(to, 16),
    advance(left, -4),
  ]);

/** Elements of one axis at the indices in a buffer of integers. */
export function gather(g: Lowering, x: View, axis: number, indices: View, shape: Shape): View {
  const count = size(indices.shape);
  // What lies inside an element must have no gaps; what is outside is walked.
  const inner = size(x.shape.slice(axis + 1));
  const { shapes, strides } = collapse(x.shape.slice(axis + 1), [x.strides.slice(axis + 1)]);
  const even = shapes.length === 1 && (inner === 1 || strides[0][0] === 1);
  const source = even ? x : contiguous(g, x);
  const buffer = g.buffer(size(shape), x.buffer.constant && indices.buffer.constant);
  const kernel = g.kernel('gather', gatherKernel);
  const outer = Array.from({ length: axis }, (_, i) => ({
    turns: x.shape[i],
    by: [source.strides[i], inner * count * size(x.shape.slice(i + 1, axis))],
  }));
  const list = contiguous(g, indices);
  g.step(buffer.constant, [source.buffer, list.buffer, buffer], (walk) =>
    walk(outer, [source, whole(buffer, shape)], ([from, to]) =>
      call(kernel, at(list), from, i32.const(4 * source.strides[axis]), to, i32.const(count), i32.const(inner)),
    ),
  );
  return whole(buffer, shape);
}

/** gather(indices, x, step, y, count, n): n neighbours from x + index * step for each index. */
function gatherKernel(m: Assembler, name: string): Func {
  return m.func(name, Array(6).fill('i32'), (scope) => {
    const [indices, x, step, y, count, n] = scope.params as Local[] & { length: 6 };
    const [turn, from, left] = scope.locals('i32', 3) as [Local, Local, Local];
    return repeat(turn, count.get, [
      from.set(i32.add(x.get, i32.mul(i32.load(indices.get), step.get))),
      left.set(n.get),
      vectors(from, y, left),
      loopWhile(left.get, [i32.store(y.get, i32.load(from.get)), advance(from, 4), advance(y, 4), advance(left, -1)]),
      advance(indices, 4),
    ]);
  });
}

/** Rows [..., E] added up in a table [V, E] of zeros at their ids; a row whose id is outside is left out. */
export function scatterAdd(g: Lowering, rows: View, ids: View, shape: Shape): View {
  const [source, list] = [contiguous(g, rows), contiguous(g, ids)];
  const buffer = g.buffer(size(shape), rows.buffer.constant && ids.buffer.constant);
  const kernel = g.kernel('scatterAdd', scatterAddKernel);
  g.step(buffer.constant, [source.buffer, list.buffer, buffer], () => [
    zero(buffer),
    call(
      kernel,
      at(list),
      at(source),
      i32.const(buffer.address),
      i32.const(size(ids.shape)),
      i32.const(shape[0]),
      i32.const(shape[1]),
    ),
  ]);
  return whole(buffer, shape);
}

/** scatterAdd(ids, x, y, count, V, E) */
function scatterAddKernel(m: Assembler, name: string): Func {
  return m.func(name, Array(6).fill('i32'), (scope) => {
    const [ids, x, y, count, V, E] = scope.params as Local[] & { length: 6 };
    const [turn, id, from, to, left] = scope.locals('i32', 5) as [Local, Local, Local, Local, Local];
    const bytes = i32.mul(E.get, i32.const(4));
    return repeat(turn, count.get, [
      id.set(i32.load(ids.get)),
      when(i32.ltU(id.get, V.get), [
        from.set(x.get),
        to.set(i32.add(y.get, i32.mul(id.get, bytes))),
        left.set(E.get),
        loopWhile(left.get, [
          f32.store(to.get, f32.add(f32.load(to.get), f32.load(from.get))),
          advance(from, 4),
          advance(to, 4),
          advance(left, -1),
        ]),
      ]),
      advance(ids, 4),
      x.set(i32.add(x.get, bytes)),
    ]);
  });
}

/** Zeroes a whole buffer. */
export const zero = ({ address, numbers }: Buffer): Code => clear(i32.const(address), i32.const(4 * numbers));
