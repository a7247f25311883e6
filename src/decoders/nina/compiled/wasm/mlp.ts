/**
 * The perceptrons as kernel calls. Both twins' hidden layers lie side by side in a row.
 */
import type { Code } from '../../../../tensor/wasm/assembler.ts';
import { call, i32 } from '../../../../tensor/wasm/instructions.ts';
import { PANEL, roundUp } from '../../../../tensor/wasm/product.ts';
import { normGeluKernel } from '../../../../tensor/wasm/rows.ts';
import type { MlpHidden, MlpNet } from '../mlp.ts';
import type { ConditionerCode, Workshop } from './conditioner.ts';
import { padded } from './places.ts';

export function mlpConditioner(
  { m, memory, linear, places, maxBatch }: Workshop,
  nets: readonly MlpNet[],
): ConditionerCode {
  const H = nets[0].hidden[0][0].weight.length;
  const stride = roundUp(H, PANEL);
  const rowBytes = 4 * 2 * stride;
  const stBytes = 4 * 2 * places.tokenPanels;
  const layers = [0, 1].map(() => memory.reserve(maxBatch * rowBytes));
  const st = memory.reserve(maxBatch * stBytes);
  const normGelu = normGeluKernel(m, { width: H, stride }, 2 * stride);
  const hiddenPlaces = padded(1, H, stride);
  const vector = (numbers: Float32Array) => memory.floats(stride, (out) => out.set(numbers));
  const firsts = nets.map(({ first }) =>
    linear.addCompact(first, padded(1, places.tokenSize, places.half), padded(2, H, stride)),
  );
  const prepared = nets.map(({ hidden }) =>
    hidden.map((twins, depth) =>
      twins.map(({ weight, bias, linear: map }: MlpHidden) => ({
        weight: vector(weight),
        bias: vector(bias),
        map: linear.addCompact(
          map,
          hiddenPlaces,
          depth + 1 < hidden.length ? hiddenPlaces : padded(1, places.tokenSize, places.tokenPanels),
        ),
      })),
    ),
  );
  return {
    heard: padded(2 * nets.length, H, stride),
    st,
    step(layer, { batch, chunk, heard, heardStride }): Code {
      return [
        firsts[layer].apply(
          { at: i32.const(chunk), stride: 4 * 2 * places.half },
          { at: i32.const(layers[0]), stride: rowBytes },
          batch,
          { at: i32.const(heard), stride: heardStride },
        ),
        prepared[layer].map((twins, depth) =>
          twins.map(({ weight, bias, map }, twin) => {
            const last = depth + 1 === prepared[layer].length;
            const x = i32.const(layers[depth % 2] + twin * 4 * stride);
            const y = last ? st + twin * 4 * places.tokenPanels : layers[(depth + 1) % 2] + twin * 4 * stride;
            return [
              call(normGelu, x, i32.const(weight), i32.const(bias), batch),
              map.apply({ at: x, stride: rowBytes }, { at: i32.const(y), stride: last ? stBytes : rowBytes }, batch),
            ];
          }),
        ),
      ];
    },
  };
}
