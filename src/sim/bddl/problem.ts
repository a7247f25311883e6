/** The syntax tree of a BDDL problem: what a task file says, with nothing interpreted. */

/** Axis-aligned rectangle in the frame of its target, metres. */
export type Range = readonly [x0: number, y0: number, x1: number, y1: number];

export interface Problem {
  name: string;
  domain: string;
  /** The instruction, words separated by one space, case as written. */
  language: string;
  regions: Region[];
  fixtures: Declared[];
  objects: Declared[];
  objectsOfInterest: string[];
  init: Atom[];
  /** The atoms of the goal's conjunction; at least one. */
  goal: Atom[];
}

/** `name - category`. Without a category it is 'object' or 'fixture', as in LIBERO. */
export interface Declared {
  name: string;
  category: string;
}

/** A named part of a fixture or object; atoms call it `<target>_<name>`. */
export interface Region {
  name: string;
  target: string;
  /** Where objects may be put; empty for a region that the target itself defines (a drawer, a burner). */
  ranges: readonly Range[];
  /** Radians, [low, high]; absent: LIBERO's [0, 0]. */
  yawRotation?: readonly [number, number];
}

export interface Atom {
  /** Lower case. */
  predicate: Predicate;
  /** Names of objects, fixtures or regions, spelled as they are declared. */
  args: readonly string[];
}

/** The predicates of LIBERO's task files and how many arguments each takes. */
export const PREDICATES = { on: 2, in: 2, open: 1, close: 1, turnon: 1, turnoff: 1 } as const;
export type Predicate = keyof typeof PREDICATES;
