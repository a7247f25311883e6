/**
 * From the image tower's tokens to tokens of the text encoder: places are added, the mean goes first, a linear map and a norm.
 */
import { layerNorm } from '../../nn/index.ts';
import { add, broadcastTo, concat, constant, linear, matmul, reshape, slice, type Tensor } from '../../tensor/index.ts';
import type { Projector } from './params.ts';

/** x [M, N, D], a square map's rows, to [M, 1 + N, d]. */
export function project(p: Projector<Tensor>, x: Tensor): Tensor {
  const N = x.shape[1];
  const placed = add(x, places(p, N, x.shape[2]));
  // A product: ONNX Runtime's mean over a middle axis takes several times as long.
  const mean = matmul(constant(new Float32Array(N).fill(1 / N), [1, N]), placed);
  return layerNorm(p.image_proj_norm, linear(concat([mean, placed], 1), p.image_projection.weight));
}

/** What is added to the token in column x and row y: [column x | row y], and the first row of a table of sines over time. */
function places(
  { image_position_embed: { row_embeddings, column_embeddings } }: Projector<Tensor>,
  N: number,
  D: number,
): Tensor {
  const H = Math.sqrt(N);
  const [ofColumn, ofRow] = [column_embeddings.weight.shape[1], row_embeddings.weight.shape[1]];
  const columns = reshape(slice(column_embeddings.weight, 0, 0, H), [1, H, ofColumn]);
  const rows = reshape(slice(row_embeddings.weight, 0, 0, H), [H, 1, ofRow]);
  const both = concat([broadcastTo(columns, [H, H, ofColumn]), broadcastTo(rows, [H, H, ofRow])], 2);
  // A single picture is at time 0: sines of 0 and cosines of 0 in turn.
  const time = constant(
    Float32Array.from({ length: D }, (_, i) => i % 2),
    [D],
  );
  return add(reshape(both, [N, D]), time);
}
