/**
 * What a conditioner is to the module that calls it: code from a chunk's first half, and what the condition says, to s
 * and t beside each other for every token.
 */
import type { Assembler, Code, Scope } from '../../../../tensor/wasm/assembler.ts';
import type { Arena } from './arena.ts';
import type { LinearMaps } from './linear.ts';
import type { Places } from './places.ts';

/** What all code of a module is made with. */
export interface Workshop {
  readonly m: Assembler;
  readonly memory: Arena;
  readonly linear: LinearMaps;
  readonly places: Places;
  readonly maxBatch: number;
}

export interface ConditionerCode {
  /** Which output of the condition's product lies at each place: layer by layer, as many places for each. */
  readonly heard: readonly number[];
  /** Where s and t are afterwards: [B * tokens, 2 * tokenPanels]. */
  readonly st: number;
  /** The code of one layer. */
  step(layer: number, call: StepCall): Code;
}

export interface StepCall {
  readonly scope: Scope;
  readonly batch: Code;
  /** The address of the chunk. */
  readonly chunk: number;
  /** What this layer hears: an address, and bytes from row to row. */
  readonly heard: number;
  readonly heardStride: number;
}
