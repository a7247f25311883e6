/**
 * One WebAssembly module per decoder: `sample(batch)` and `logProb(batch)` as straight lines of kernel calls with every
 * address and size in the code. No operation is looked up, checked or allocated for when it runs.
 */
import { assembler, type Code, type Local } from '../../../../tensor/wasm/assembler.ts';
import { call, i32 } from '../../../../tensor/wasm/instructions.ts';
import { PANEL, roundUp } from '../../../../tensor/wasm/product.ts';
import type { Folded } from '../folded.ts';
import { arena } from './arena.ts';
import type { Workshop } from './conditioner.ts';
import { flowKernels } from './flow.ts';
import { linearMaps, type Precision } from './linear.ts';
import { mlpConditioner } from './mlp.ts';
import { padded, placesOf } from './places.ts';
import { transformerConditioner } from './transformer.ts';

export interface NinaModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Writes the weights. */
  fill(memory: ArrayBuffer): void;
  /** Addresses of what the caller writes: a chunk or noise [B, D], the condition [B, conditionStride]. */
  readonly chunk: number;
  readonly condition: number;
  readonly conditionStride: number;
  /** And reads: actions [B, D], log p [B]. */
  readonly actions: number;
  readonly logProb: number;
  readonly weightBytes: number;
}

const PAGE = 65536;

/** The code, and the place of every number. */
export function ninaModule(folded: Folded, maxBatch: number, precision: Precision): NinaModule {
  const { config, cond, nets, logDet } = folded;
  const D = config.chunk_length * config.action_dim;
  const places = placesOf(config);
  const [m, memory] = [assembler(), arena()];
  const conditionStride = roundUp(config.cond_dim, PANEL);
  const at = {
    chunk: memory.reserve(4 * maxBatch * D),
    condition: memory.reserve(4 * maxBatch * conditionStride),
    actions: memory.reserve(4 * maxBatch * D),
    logProb: memory.reserve(4 * maxBatch),
    sums: memory.reserve(16 * maxBatch),
  };
  const stateBytes = 4 * 2 * places.half;
  // Chunks in the padded layout: each mix reads one and writes the other.
  const states = [0, 1].map(() => memory.reserve(maxBatch * stateBytes)) as [number, number];
  const inState = padded(2 * places.tokens, places.tokenSize, places.tokenStride);
  const flow = flowKernels(m, places, D, at.sums, logDet - 0.5 * D * Math.log(2 * Math.PI));
  const linear = linearMaps(m, memory, {
    precision,
    rows: maxBatch * places.tokens,
    // No row is wider than all of these together.
    widest: 2 * places.half + conditionStride + roundUp(config.affine_dim, PANEL) + 4 * config.n_heads,
  });
  const shop: Workshop = { m, memory, linear, places, maxBatch };
  const conditioner =
    nets.kind === 'mlp' ? mlpConditioner(shop, nets.layers) : transformerConditioner(shop, nets.layers, config.n_heads);
  const heardStride = 4 * conditioner.heard.length;
  const heard = memory.reserve(maxBatch * heardStride);
  const hear = linear.addCompact(cond, padded(1, config.cond_dim, conditionStride), conditioner.heard);

  const table = (entries: readonly (readonly [from: number, to: number])[]) => i32.const(memory.ints(entries.flat()));
  const direction = (way: 'sample' | 'logProb') => {
    const { steps, finish } = folded[way];
    const [firstMix] = steps.map(({ mix }) => mix);
    const entry = 'order' in firstMix! ? firstMix.order : inState.filter((j) => j >= 0);
    const parts = steps.map(({ layer, mix }) => {
      const matrix = 'matrix' in mix ? mix.matrix : undefined;
      return {
        layer,
        mix,
        map: matrix && linear.add(matrix, inState, inState),
        condition: conditioner.step(layer, matrix && matrix.outputs > D ? matrix : undefined),
      };
    });
    const last = 'matrix' in finish ? linear.add(finish.matrix, inState, inState) : undefined;
    m.func(
      way,
      ['i32'],
      (scope) => {
        const batch = (scope.params[0] as Local).get;
        let [from, to] = states;
        const swap = () => {
          [from, to] = [to, from];
        };
        const rows = (address: number) => ({ at: i32.const(address), stride: stateBytes });
        const move = (entries: Code, source: number, sourceBytes: number, target: number, targetBytes: number) =>
          call(
            flow.gather,
            entries,
            i32.const(source),
            i32.const(sourceBytes),
            i32.const(target),
            i32.const(targetBytes),
            batch,
          );
        const code: Code[] = [
          hear.apply(
            { at: i32.const(at.condition), stride: 4 * conditionStride },
            { at: i32.const(heard), stride: heardStride },
            batch,
          ),
          move(table(entry.map((j, to) => [4 * j, 4 * places.scalar(to)])), at.chunk, 4 * D, from, stateBytes),
        ];
        if (way === 'sample') code.push(call(flow.base, i32.const(from), batch));
        parts.forEach(({ layer, mix, map, condition }, step) => {
          const before = from;
          if (map) {
            code.push(map.apply(rows(from), rows(to), batch));
            swap();
          } else if ('order' in mix && step > 0) {
            const entries = mix.order.map((j, to) => [4 * places.scalar(j), 4 * places.scalar(to)] as const);
            code.push(move(table(entries), from, stateBytes, to, stateBytes));
            swap();
          }
          const heardHere = heard + (heardStride / steps.length) * layer;
          code.push(condition({ scope, batch, before, after: from, heard: heardHere, heardStride }));
          code.push(
            call(
              way === 'sample' ? flow.coupleSample : flow.coupleLogProb,
              i32.const(from),
              i32.const(conditioner.st),
              batch,
            ),
          );
        });
        if (way === 'sample') {
          if (!('order' in finish)) throw new Error('Internal: sampling ends with a permutation.');
          code.push(
            move(
              table(finish.order.map((j, to) => [4 * places.scalar(j), 4 * to])),
              from,
              stateBytes,
              at.actions,
              4 * D,
            ),
          );
        } else {
          // The density does not mind an order.
          if (last) {
            code.push(last.apply(rows(from), rows(to), batch));
            swap();
          }
          code.push(call(flow.base, i32.const(from), batch));
        }
        code.push(call(flow.density, i32.const(at.logProb), batch));
        return code;
      },
      { exported: true },
    );
  };
  direction('sample');
  const weightBytes = linear.weightBytes;
  direction('logProb');
  const bytes = m.bytes(Math.ceil(memory.size / PAGE));
  return { bytes, fill: memory.fill, ...at, conditionStride, weightBytes };
}
