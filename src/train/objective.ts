/**
 * What a training minimises, apart from what trains: the threads, the optimizer and the loop know an objective by its module
 * alone, so that imitation, grounding and later ones share them. A thread is sent the module's address and plain options,
 * and opens the objective itself.
 */
import type { Engine, Program } from '../engine/index.ts';
import type { Masks } from '../nn/index.ts';
import type { Key } from '../random.ts';

/** Parameters are fed as 'p.<path>', gradients come back as 'g.<path>'. */
export const PARAMETER = 'p.';
export const GRADIENT = 'g.';

/** An objective as a message can carry it. */
export interface ObjectiveReference {
  /** URL of a module that is an `ObjectiveModule`: its own `import.meta.url`. */
  readonly module: string;
  /** What its `open` is given; plain data. */
  readonly options: unknown;
}

export interface ObjectiveModule {
  open(options: unknown): Objective;
}

export interface Objective {
  /** The program of an update of so many rows. */
  compile(rows: number, engine: Engine, threads: number): Promise<UpdateProgram>;
  /** The random inputs of a step's loss but for the masks, by the names of the graph's inputs. */
  draws(key: Key, step: number, rows: number): Record<string, Float32Array>;
}

export interface UpdateProgram {
  /** In: the trained parameters, a batch, draws, masks. Out: `loss` [], the mean over the rows, and its gradients. */
  readonly program: Program;
  readonly masks: readonly Masks[];
}

export async function openObjective({ module, options }: ObjectiveReference): Promise<Objective> {
  const { open } = (await import(module)) as ObjectiveModule;
  return open(options);
}
