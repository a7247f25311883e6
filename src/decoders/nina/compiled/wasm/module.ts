/**
 * One WebAssembly module per decoder: `sample(batch)` and `logProb(batch)` as straight lines of kernel calls with every
 * address and size in the code. No operation is looked up, checked or allocated for when it runs.
 */
import { log } from '../../../../math.ts';
import { assembler, type Code, type Local } from '../../../../tensor/wasm/assembler.ts';
import { call, clear, i32 } from '../../../../tensor/wasm/instructions.ts';
import { PANEL, roundUp } from '../../../../tensor/wasm/product.ts';
import type { Folded } from '../folded.ts';
import { arena } from './arena.ts';
import type { ConditionerCode, Workshop } from './conditioner.ts';
import { type FlowKernels, flowKernels } from './flow.ts';
import { type LinearMap, linearMaps, type Precision } from './linear.ts';
import { mlpConditioner } from './mlp.ts';
import { padded, placesOf } from './places.ts';
import { transformerConditioner } from './transformer.ts';

export interface NinaModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Writes the weights. */
  fill(memory: ArrayBuffer): void;
  readonly addresses: Addresses;
  /** Numbers from one condition to the next. */
  readonly conditionStride: number;
  /** Bytes of weights that sampling reads. */
  readonly weightBytes: number;
}

/** What the caller writes: a chunk or noise [B, D], the condition; and reads: actions [B, D], log p [B]. */
interface Addresses {
  readonly chunk: number;
  readonly condition: number;
  readonly actions: number;
  readonly logProb: number;
}

const PAGE = 65536;

/** The code, and the place of every number. */
export function ninaModule(folded: Folded, maxBatch: number, precision: Precision): NinaModule {
  const { config, cond, nets, logDet } = folded;
  const D = config.chunk_length * config.action_dim;
  const places = placesOf(config);
  const [m, memory] = [assembler(), arena()];
  const conditionStride = roundUp(config.cond_dim, PANEL);
  const addresses: Addresses = {
    chunk: memory.reserve(4 * maxBatch * D),
    condition: memory.reserve(4 * maxBatch * conditionStride),
    actions: memory.reserve(4 * maxBatch * D),
    logProb: memory.reserve(4 * maxBatch),
  };
  const sums = memory.reserve(16 * maxBatch);
  const linear = linearMaps(m, memory, {
    precision,
    rows: maxBatch * places.tokens,
    // No row is wider than all of these together.
    widest: 2 * places.half + conditionStride + roundUp(config.affine_dim, PANEL) + 4 * config.n_heads,
  });
  const shop: Workshop = { m, memory, linear, places, maxBatch };
  const conditioner =
    nets.kind === 'mlp' ? mlpConditioner(shop, nets.layers) : transformerConditioner(shop, nets.layers, config.n_heads);
  const path: Path = {
    shop,
    folded,
    addresses,
    conditioner,
    flow: flowKernels(m, places, D, sums, logDet - 0.5 * D * log(2 * Math.PI)),
    hear: linear.addCompact(cond, padded(1, config.cond_dim, conditionStride), conditioner.heard),
    conditionBytes: 4 * conditionStride,
    heard: memory.reserve(4 * maxBatch * conditioner.heard.length),
    states: [memory.reserve(8 * maxBatch * places.half), memory.reserve(8 * maxBatch * places.half)],
  };
  direction(path, 'sample');
  const { weightBytes } = linear;
  direction(path, 'logProb');
  const bytes = m.bytes(Math.ceil(memory.size / PAGE));
  return { bytes, fill: memory.fill, addresses, conditionStride, weightBytes };
}

/** What both directions share. */
interface Path {
  readonly shop: Workshop;
  readonly folded: Folded;
  readonly addresses: Addresses;
  readonly conditioner: ConditionerCode;
  readonly flow: FlowKernels;
  /** The condition to what all layers hear, at `heard`. */
  readonly hear: LinearMap;
  readonly conditionBytes: number;
  readonly heard: number;
  /** Chunks in the padded layout: each mix reads one and writes the other. */
  readonly states: readonly [number, number];
}

/** Adds the exported function of one direction to the module. */
function direction({ shop, folded, addresses, conditioner, flow, hear, ...at }: Path, way: 'sample' | 'logProb'): void {
  const { m, memory, linear, places } = shop;
  const { steps, finish } = folded[way];
  const chunkBytes = 4 * folded.config.chunk_length * folded.config.action_dim;
  const stateBytes = 8 * places.half;
  const heardStride = 4 * conditioner.heard.length;
  const inState = padded(2 * places.tokens, places.tokenSize, places.tokenStride);
  const couple = way === 'sample' ? flow.coupleSample : flow.coupleLogProb;

  m.func(
    way,
    ['i32'],
    (scope) => {
      const batch = (scope.params[0] as Local).get;
      let [from, to] = at.states;
      /** From one layout to another: number order[j] of the source becomes number j. */
      const move = (order: readonly number[], source: Layout, target: Layout): Code =>
        call(
          flow.gather,
          i32.const(memory.ints(order.flatMap((i, j) => [4 * source.place(i), 4 * target.place(j)]))),
          i32.const(source.at),
          i32.const(source.bytes),
          i32.const(target.at),
          i32.const(target.bytes),
          batch,
        );
      const plain = (address: number): Layout => ({ at: address, bytes: chunkBytes, place: (j) => j });
      const state = (address: number): Layout => ({ at: address, bytes: stateBytes, place: places.scalar });
      const rows = (address: number) => ({ at: i32.const(address), stride: stateBytes });
      const mixed = (mix: (typeof steps)[number]['mix']): Code => {
        const code =
          'order' in mix
            ? move(mix.order, state(from), state(to))
            : linear.add(mix.matrix, inState, inState).apply(rows(from), rows(to), batch);
        [from, to] = [to, from];
        return code;
      };

      // An order before the first coupling costs nothing: the chunk is moved into its place anyway.
      const [first] = steps.map(({ mix }) => mix);
      const unmoved = inState.filter((j) => j >= 0);
      const entry = 'order' in first ? first.order : unmoved;
      return [
        hear.apply(
          { at: i32.const(addresses.condition), stride: at.conditionBytes },
          { at: i32.const(at.heard), stride: heardStride },
          batch,
        ),
        // Padding that a call with NaN left behind would be in the sums of the next.
        at.states.map((address) => clear(i32.const(address), i32.mul(batch, i32.const(stateBytes)))),
        move(entry, plain(addresses.chunk), state(from)),
        way === 'sample' ? call(flow.base, i32.const(from), batch) : [],
        steps.map(({ layer, mix }, i) => [
          i === 0 && 'order' in mix ? [] : mixed(mix),
          conditioner.step(layer, {
            scope,
            batch,
            chunk: from,
            heard: at.heard + (heardStride / steps.length) * layer,
            heardStride,
          }),
          call(couple, i32.const(from), i32.const(conditioner.st), batch),
        ]),
        finishing(),
        call(flow.density, i32.const(addresses.logProb), batch),
      ];

      function finishing(): Code {
        if (way === 'sample' && 'order' in finish) return move(finish.order, state(from), plain(addresses.actions));
        // The density of noise does not mind an order.
        const last = 'order' in finish ? [] : mixed(finish);
        return [last, call(flow.base, i32.const(from), batch)];
      }
    },
    { exported: true },
  );
}

interface Layout {
  readonly at: number;
  /** From row to row. */
  readonly bytes: number;
  /** Where number j of a row lies. */
  place(j: number): number;
}
