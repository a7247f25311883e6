/**
 * How checkpoints of somebody else's implementation hold one of our models. An encoder or a decoder that has been trained
 * elsewhere says it by a `Reference`; `nina import` asks each which of a file's tensors are its own.
 */
import type { UnreadTensor } from './safetensors-format.ts';

export type ForeignTensors = ReadonlyMap<string, UnreadTensor>;

/** What shapes do not tell. */
export interface Known {
  /** Plain settings that the file keeps beside its weights. */
  readonly settings: ReadonlyMap<string, string | number | boolean>;
  /** What the caller chose. */
  readonly options: ImportOptions;
}

/** Each is needed only where the file does not tell it. */
export interface ImportOptions {
  /** Of <Flow>: 'mean', 'random:SEED' or 'last-row'. */
  readonly flowToken?: string | undefined;
  /** Of the image tower's stages. */
  readonly heads?: readonly number[] | undefined;
  readonly groups?: readonly number[] | undefined;
  readonly window?: number | undefined;
  readonly encoderHeads?: number | undefined;
  readonly decoderHeads?: number | undefined;
  readonly chunkLength?: number | undefined;
  readonly imageSize?: number | undefined;
  readonly maxText?: number | undefined;
  readonly prompt?: string | undefined;
}

/** Everything in which a file differs from what its sizes ask for; all of it is told. */
export interface Problems {
  readonly missing: readonly string[];
  readonly unknown: readonly string[];
  /** Name, what it is, what is wanted. */
  readonly different: readonly string[];
}

/** A model as a file holds it; nothing has been read but names and shapes. */
export interface Match<C, Model> {
  readonly config: C;
  readonly problems: Problems;
  /** What is accepted and left out, by why. */
  readonly left: Readonly<Record<string, readonly string[]>>;
  /** What was decided, for people. */
  readonly notes: readonly string[];
  /** Reads the numbers. To be called only where there are no problems. */
  model(): Model;
}

export interface Reference<C, Model> {
  /** Whether a tensor is this model's, by its name in a whole policy's checkpoint. */
  owns(name: string): boolean;
  /**
   * @param tensors its own
   * @param width of the encoder's tokens, for a decoder
   * @throws NinaError for what sizes cannot be read from; UsageError naming an option that is needed.
   */
  match(tensors: ForeignTensors, known: Known, width: number): Match<C, Model>;
  /** What its implementation makes of a file that it reads beside the weights. */
  asset?(text: string): string;
}

const shown = (shape: readonly number[]) => `[${shape.join(', ')}]`;

/**
 * @param wanted by name; what is `optional` may be missing
 * @param integers names whose numbers are integers
 */
export function compare(
  wanted: ReadonlyMap<string, { readonly shape: readonly number[]; readonly optional?: boolean }>,
  tensors: ForeignTensors,
  integers: (name: string) => boolean = () => false,
): Problems {
  const kind = (whole: boolean) => (whole ? 'integers' : 'floats');
  return {
    missing: [...wanted].filter(([name, { optional }]) => !optional && !tensors.has(name)).map(([name]) => name),
    unknown: [...tensors.keys()].filter((name) => !wanted.has(name)),
    different: [...wanted].flatMap(([name, { shape }]) => {
      const found = tensors.get(name);
      if (!found) return [];
      const [got, asked] = [
        `${kind(found.dtype === 'I64')} ${shown(found.shape)}`,
        `${kind(integers(name))} ${shown(shape)}`,
      ];
      return got === asked ? [] : [`${name} is ${got}, wanted ${asked}`];
    }),
  };
}
