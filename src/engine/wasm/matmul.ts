/**
 * Matrix products by the kernel that decoders use (tensor/wasm/product.ts). The right factor is packed for it: a constant
 * one once, others right before the product, matrix by matrix.
 */
import { size } from '../../tensor/tensor.ts';
import type { Code } from '../../tensor/wasm/assembler.ts';
import { float32 } from '../../tensor/wasm/float32.ts';
import { call, i32 } from '../../tensor/wasm/instructions.ts';
import { PANEL, paddedInputs, productKernel, roundUp, turnsOf } from '../../tensor/wasm/product.ts';
import type { Lowering } from './lowering.ts';
import { contiguous, copy, zero } from './moves.ts';
import { pack, packer, panelNumbers } from './panels.ts';
import { broadcast, collapse, sliced, type View, whole } from './view.ts';

/**
 * a [..., M, K] times b [..., K, N], plus a view that broadcasts to the result and has all N columns, if given. Rows of the
 * result are padded to whole panels.
 */
export function matmul(g: Lowering, a: View, b: View, addend?: View): View {
  const [M, K] = a.shape.slice(-2) as [number, number];
  const N = b.shape.at(-1) as number;
  const lead = broadcastLead(a, b);
  const constant = [a, b, addend].every((v) => v?.buffer.constant ?? true);
  const width = roundUp(N, PANEL);
  const buffer = g.buffer(size(lead) * M * width, constant);
  const y = sliced(whole(buffer, [...lead, M, width]), lead.length + 1, 0, N);
  const x = rowsOf(g, a, K);
  const init = addend ? lastWithoutGaps(g, addend) : g.zeros(N);
  const packed = b.buffer.constant ? g.once('packed', b, () => pack(g, b)) : undefined;

  // Rows, and outside them matrices: where all rows meet the same b, all are one matrix.
  const rows = [...lead, M];
  const across = (v: View) => broadcast(v, [...rows, v.shape.at(-1) as number]).strides.slice(0, -1);
  const of = packed ?? b;
  const columns = [...broadcast(of, [...lead, ...of.shape.slice(-2)]).strides.slice(0, -2), 0];
  const { shapes, strides } = collapse(rows, [across(x), columns, across(init), across(y)]);
  if (strides[1][shapes.length - 1] !== 0) for (const list of [shapes, ...strides]) list.push(list === shapes ? 1 : 0);
  const inner = shapes.length - 1;
  const outer = shapes.slice(0, -1).map((turns, i) => ({ turns, by: strides.map((s) => s[i]) }));
  const kernel = g.kernel('product', (m) => productKernel(m, float32));
  const turns = turnsOf(float32, paddedInputs(float32, K));
  const room = packed ? undefined : g.buffer(panelNumbers(K, N), constant);
  const stride = (i: number) => i32.const(4 * strides[i][inner]);
  const product = (xs: Code, w: Code, start: Code, to: Code): Code =>
    call(
      kernel,
      xs,
      stride(0),
      w,
      start,
      stride(2),
      to,
      stride(3),
      i32.const(turns),
      i32.const(width / PANEL),
      i32.const(shapes[inner]),
    );
  const packing = room && packer(g);
  g.step(constant, [x.buffer, of.buffer, init.buffer, buffer, ...(room ? [room] : [])], (walk) =>
    walk(outer, [x, of, init, y], ([xs, w, start, to]) =>
      room && packing
        ? [packing(w, b, i32.const(room.address)), product(xs, i32.const(room.address), start, to)]
        : product(xs, w, start, to),
    ),
  );
  return y;
}

function broadcastLead(a: View, b: View): number[] {
  const rank = Math.max(a.shape.length, b.shape.length) - 2;
  const sizeAt = ({ shape }: View, i: number) => shape[shape.length - 2 - rank + i] ?? 1;
  return Array.from({ length: rank }, (_, i) => Math.max(sizeAt(a, i), sizeAt(b, i)));
}

/** Rows that the kernel can read: numbers without gaps, as many as it takes at once, zeros beyond the K that there are. */
function rowsOf(g: Lowering, a: View, K: number): View {
  const padded = paddedInputs(float32, K);
  if (padded === K) return lastWithoutGaps(g, a);
  return g.once('padded', a, () => {
    const { buffer, shape } = a;
    const wide = [...shape.slice(0, -1), padded];
    const room = whole(g.buffer(size(wide), buffer.constant), wide);
    g.step(buffer.constant, [room.buffer], () => zero(room.buffer));
    copy(g, a, sliced(room, shape.length - 1, 0, K));
    return room;
  });
}

const lastWithoutGaps = (g: Lowering, view: View): View =>
  view.strides.at(-1) === 1 || view.shape.at(-1) === 1 ? view : contiguous(g, view);
