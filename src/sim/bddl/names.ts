/** The names a problem declares: every atom must use one of them, and LIBERO folds case. */
import type { Declared, Region } from './problem.ts';
import { type Place, syntaxError, type Word } from './reader.ts';

export type Placed<T> = T & { place: Place };

export class Names {
  readonly #spelling = new Map<string, string>();

  constructor(declared: readonly Placed<Declared>[]) {
    for (const { name, place } of declared) this.#add(name, place);
  }

  /**
   * Makes `<target>_<name>` known and spells the target as declared. LIBERO's files also hold regions of things that
   * are not in the scene; those stay unknown, so an atom that uses one is an error.
   */
  addRegion({ place, ...region }: Placed<Region>): Region {
    const target = this.#spelling.get(region.target.toLowerCase());
    if (target === undefined) return region;
    this.#add(`${target}_${region.name}`, place);
    return { ...region, target };
  }

  /** The declared spelling of an object, a fixture or a region. */
  resolve({ text, place }: Word): string {
    const found = this.#spelling.get(text.toLowerCase());
    if (found !== undefined) return found;
    throw syntaxError(place, `'${text}' is not declared; the names are ${[...this.#spelling.values()].join(', ')}.`);
  }

  #add(name: string, place: Place): void {
    // It becomes a name of the simulator's XML.
    if (!/^[\p{L}\p{N}_.-]+$/u.test(name))
      throw syntaxError(place, `'${name}' is no name: wanted letters, digits, '_', '.' and '-' alone.`);
    if (this.#spelling.has(name.toLowerCase()))
      throw syntaxError(place, `'${name}' is declared a second time; rename one.`);
    this.#spelling.set(name.toLowerCase(), name);
  }
}
