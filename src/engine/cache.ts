/** Programs of one function for several batch sizes, compiled on first use and kept until disposal. */
import { Lifetime } from '../lifetime.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { CompileOptions, Engine, Program } from './engine.ts';

export class ProgramCache implements Disposable {
  private readonly programs = new Map<number, Promise<Program>>();
  private readonly engine: Engine;
  private readonly build: (batch: number) => Record<string, Tensor>;
  private readonly options: CompileOptions;
  private readonly life = new Lifetime('The cache of programs', 'make it again', () => {
    // A program still being compiled is disposed of when it is ready; that it failed is told to whoever asked for it.
    for (const program of this.programs.values())
      program.then(
        (ready) => ready[Symbol.dispose](),
        () => {},
      );
    this.programs.clear();
  });

  /** @param build the results for a batch of that size */
  constructor(engine: Engine, build: (batch: number) => Record<string, Tensor>, options: CompileOptions = {}) {
    this.engine = engine;
    this.build = build;
    this.options = options;
  }

  /** @throws NinaError after disposal. */
  async get(batch: number): Promise<Program> {
    this.life.check();
    const known = this.programs.get(batch);
    if (known) return known;
    const compiled = this.engine.compile(this.build(batch), this.options);
    this.programs.set(batch, compiled);
    return compiled;
  }

  [Symbol.dispose](): void {
    this.life[Symbol.dispose]();
  }
}
