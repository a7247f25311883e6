/** Named tensors of somebody else's file, whatever its format; each is read when it is asked for. */
import type { UnreadTensor } from '../safetensors-format.ts';

export interface Weights {
  readonly tensors: ReadonlyMap<string, UnreadTensor>;
  /** What has a name among the tensors and is none that can be read: what it is. */
  readonly others: ReadonlyMap<string, string>;
  /** Plain settings that the file keeps beside its weights. */
  readonly settings: ReadonlyMap<string, string | number | boolean>;
  /** What was chosen of the file, for people. */
  readonly notes: readonly string[];
}
