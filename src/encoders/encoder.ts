/**
 * What an observation encoder is: from what a policy is asked to tokens that its decoder attends to. A policy, its
 * training, its checkpoint and its evaluation ask nothing else. An encoder is one value of this type in a folder of its
 * own and one line in index.ts.
 *
 * Letters: B batch, S tokens, W token width.
 */
import type * as z from 'zod';
import type { Dropout } from '../nn/index.ts';
import type { Key } from '../random.ts';
import type { Observation, Robot } from '../robot/index.ts';
import type { Spec, Tensor, Tree } from '../tensor/index.ts';

/** Numbers of a batch, under the names of the graph's inputs. */
export type Arrays = Record<string, Float32Array | BigInt64Array>;

/** What an encoder is told of the data before anything is trained. */
export interface DataSummary {
  /** Of every episode, trained on or held out; `where` is how messages call it. */
  readonly episodes: readonly {
    readonly where: string;
    readonly instruction: string;
    /** Of the entities whose poses are known; empty where none are. */
    readonly categories: readonly string[];
  }[];
  readonly robot: Robot;
}

/** Numbers of one episode that normalisation is measured on, row-major. */
export interface Measurable {
  /** [T, P] */
  readonly state: Float32Array;
  /** [T, N, 8] */
  readonly poses: Float32Array;
}

/** What every encoder's configuration says, beside what is its own. */
export interface EncoderConfig {
  readonly name: string;
}

/**
 * @typeParam S what a recipe chooses
 * @typeParam C the whole configuration: that, and what the data and the robot determine
 * @typeParam M normalisation statistics
 */
// The registry holds encoders of different configurations; each is only ever given its own.
// biome-ignore lint/suspicious/noExplicitAny: an unknown would refuse every member
export interface Encoder<S = any, C extends EncoderConfig = any, M = any> {
  readonly name: string;
  /** What a recipe chooses, with every default; `name` is not among it. */
  readonly settings: z.ZodObject;
  /** config.json's `encoder`. */
  readonly schema: z.ZodType<C>;
  /** @throws NinaError naming an episode whose data this encoder cannot be trained on. */
  configure(settings: S, data: DataSummary): C;
  /** Schema of the statistics, stats.json's `encoder`. */
  statistics(config: C): z.ZodType<M>;
  /** @param episodes those that are trained on */
  measure(episodes: readonly Measurable[], robot: Robot): M;
  /** S and W; they follow from the settings alone. */
  tokens(settings: S): { readonly count: number; readonly width: number };
  /** Views whose pictures an observation must hold; absent for an encoder that reads no pictures. */
  views?(config: C): readonly string[];
  blueprint(key: Key, config: C): Tree<Spec>;
  /** Graph inputs by name. */
  inputs(config: C, B: number): Record<string, Tensor>;
  /** Arrays for them, under the same names. */
  arrays(config: C, B: number): Arrays;
  /**
   * @throws NinaError for an observation that lacks what the encoder needs, is of another size or not finite, or holds
   * what it was not trained on.
   */
  check(config: C, observation: Observation): void;
  /** Writes an observation that passed `check`, or came from checked data, as row `row` of the arrays. */
  write(config: C, statistics: M, observation: Observation, arrays: Arrays, row: number): void;
  /**
   * @param p the blueprint's tree
   * @returns tokens [B, S, W]; mask [B, S], 1 for real tokens, where some are padding
   */
  encode(
    config: C,
    p: Tree<Tensor>,
    inputs: Readonly<Record<string, Tensor>>,
    dropout: Dropout,
  ): { tokens: Tensor; mask?: Tensor };
  dropoutRate(config: C): number;
  /** Whether every word of the text is known; absent for an encoder that reads any text. */
  knows?(config: C, text: string): boolean;
  /** For people: names and values. */
  describe(config: C): readonly (readonly [name: string, value: string])[];
}
