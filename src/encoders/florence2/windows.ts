/**
 * Attention within the windows of a map, as DaViT has it: the map is padded with zeros to whole windows after its norm, and
 * padding is attended to, with the bias of the packed projection as its key and value.
 *
 * All that padding has one key and one value, so k tokens of it weigh as one whose score is larger by log k. Hence windows cut by
 * the border are made of real tokens and one key more, exactly; nothing is padded.
 */
import { log } from '../../math.ts';
import { attention, type Linear, linear } from '../../nn/index.ts';
import { broadcastTo, concat, constant, reshape, slice, split, type Tensor, transpose } from '../../tensor/index.ts';

/** Equal windows beside one another along one axis. */
interface Band {
  readonly start: number;
  readonly windows: number;
  /** Of one window. */
  readonly side: number;
}

/** @param x [M, N, C], a square map's rows; @param window side of a window */
export function windowAttention(
  { qkv, proj }: { readonly qkv: Linear<Tensor>; readonly proj: Linear<Tensor> },
  x: Tensor,
  window: number,
  heads: number,
): Tensor {
  const [M, N, C] = x.shape;
  const H = Math.sqrt(N);
  const all = reshape(linear(qkv, x), [M, H, H, 3 * C]);
  const [, paddingKey, paddingValue] = split(reshape(qkv.bias, [3, heads, 1, C / heads]), 0, [1, 1, 1]);
  const bands = bandsOf(H, window);
  const attended = (rows: Band, columns: Band): Tensor => {
    const part = slice(slice(all, 1, ...range(rows)), 2, ...range(columns));
    const W = M * rows.windows * columns.windows;
    const T = rows.side * columns.side;
    const e = C / heads;
    const apart = transpose(
      reshape(part, [M, rows.windows, rows.side, columns.windows, columns.side, 3, heads, e]),
      [5, 0, 1, 3, 6, 2, 4, 7],
    );
    let [q, k, v] = split(apart, 0, [1, 1, 1]).map((t) => reshape(t, [W, heads, T, e]));
    const padding = window * window - T;
    let mask: Tensor | undefined;
    if (padding > 0) {
      k = concat([k, broadcastTo(paddingKey, [W, heads, 1, e])], 2);
      v = concat([v, broadcastTo(paddingValue, [W, heads, 1, e])], 2);
      mask = constant([...new Float32Array(T), log(padding)], [T + 1]);
    }
    const y = reshape(attention(q, k, v, { mask }), [
      M,
      rows.windows,
      columns.windows,
      heads,
      rows.side,
      columns.side,
      e,
    ]);
    return reshape(transpose(y, [0, 1, 4, 2, 5, 3, 6]), [
      M,
      rows.windows * rows.side,
      columns.windows * columns.side,
      C,
    ]);
  };
  const map = concat(
    bands.map((rows) =>
      concat(
        bands.map((columns) => attended(rows, columns)),
        2,
      ),
    ),
    1,
  );
  return linear(proj, reshape(map, [M, N, C]));
}

/** Whole windows, and what the border leaves of the last. */
function bandsOf(H: number, window: number): Band[] {
  const whole = Math.floor(H / window);
  const rest = H - whole * window;
  return [
    { start: 0, windows: whole, side: window },
    { start: whole * window, windows: 1, side: rest },
  ].filter(({ windows, side }) => windows * side > 0);
}

const range = ({ start, windows, side }: Band): [from: number, to: number] => [start, start + windows * side];
