/** Task files: LIBERO's BDDL. */
export { parseBddl } from './parse.ts';
export {
  type Atom,
  type Declared,
  PREDICATES,
  type Predicate,
  type Problem,
  type Range,
  type Region,
} from './problem.ts';
