/**
 * BDDL problems as LIBERO writes them (Liu et al. 2023, arXiv:2306.03310), from source text to `Problem`.
 *
 *   (define (problem NAME) (:domain NAME) (:language free words)
 *     (:regions (NAME (:target NAME) (:ranges ((x0 y0 x1 y1) ...)) (:yaw_rotation ((low high)))) ...)
 *     (:fixtures a b - category ...) (:objects ...) (:obj_of_interest name ...)
 *     (:init (Predicate arg ...) ...) (:goal (And (Predicate arg ...) ...)))
 *
 * LIBERO folds case, takes the sections in any order, and ignores `:requirements`; so does this parser. What only
 * paints (`:rgba` of a region, `:scene_properties`) is read and dropped. Unlike LIBERO, an unknown section, an unknown
 * predicate or a name that nobody declared is an error, told with its line and column.
 */

import { NinaError } from '../../errors.ts';
import { Names, type Placed } from './names.ts';
import {
  type Atom,
  type Declared,
  PREDICATES,
  type Predicate,
  type Problem,
  type Range,
  type Region,
} from './problem.ts';
import {
  describe,
  head,
  type List,
  list,
  type Node,
  onlyWord,
  type Place,
  readList,
  syntaxError,
  type Word,
  word,
} from './reader.ts';

const SECTIONS = [
  'problem',
  ':domain',
  ':language',
  ':regions',
  ':fixtures',
  ':objects',
  ':obj_of_interest',
  ':init',
  ':goal',
  ':requirements',
  ':scene_properties',
] as const;
const REQUIRED = ['problem', ':domain', ':language', ':goal'] as const;

/** Far more than any task file of LIBERO has, in characters. */
const LARGEST = 2 ** 20;

/**
 * @param file how messages name the source.
 * @throws NinaError naming file, line and column of the first thing that is wrong.
 */
export function parseBddl(source: string, file = 'BDDL text'): Problem {
  if (source.length > LARGEST)
    throw new NinaError(`${file} has ${source.length} characters, which no task has: wanted at most ${LARGEST}.`);
  const root = readList(source, file);
  const sections = readSections(root);
  const items = (name: (typeof SECTIONS)[number]) => sections.get(name)?.items.slice(1) ?? [];
  const only = (name: (typeof SECTIONS)[number]) => onlyWord(sections.get(name)!).text;

  const fixtures = parseDeclarations(items(':fixtures'), 'fixture');
  const objects = parseDeclarations(items(':objects'), 'object');
  const names = new Names([...fixtures, ...objects]);
  const regions = items(':regions').map((node) => names.addRegion(parseRegion(node)));

  return {
    name: only('problem'),
    domain: only(':domain'),
    language: parseLanguage(sections.get(':language')!),
    regions,
    fixtures: fixtures.map(({ place: _, ...declared }) => declared),
    objects: objects.map(({ place: _, ...declared }) => declared),
    objectsOfInterest: items(':obj_of_interest').map((node) => names.resolve(word(node, 'a name'))),
    init: items(':init').map((node) => parseAtom(node, names)),
    goal: parseGoal(sections.get(':goal')!, names),
  };
}

/** The sections by lower-case head; required ones are present, none comes twice. */
function readSections(root: List): Map<string, List> {
  const [define, ...rest] = root.items;
  if (define?.kind !== 'word' || define.text.toLowerCase() !== 'define')
    throw syntaxError(define?.place ?? root.place, `expected 'define' after the first '('; got ${describe(define)}.`);
  const sections = new Map<string, List>();
  for (const node of rest) {
    const section = list(node, 'a section such as (:goal ...)');
    const name = head(section, 'the name of a section').toLowerCase();
    if (!SECTIONS.some((known) => known === name))
      throw syntaxError(section.place, `unknown section '${name}'; the sections are ${SECTIONS.join(', ')}.`);
    if (sections.has(name)) throw syntaxError(section.place, `section '${name}' comes a second time; write it once.`);
    sections.set(name, section);
  }
  for (const name of REQUIRED)
    if (!sections.has(name)) throw syntaxError(root.place, `the definition has no (${name} ...) section; add it.`);
  return sections;
}

function parseLanguage(section: List): string {
  const words = section.items.slice(1).map((node) => word(node, 'the words of the instruction').text);
  if (words.length === 0) throw syntaxError(section.place, 'the instruction is empty; write it after :language.');
  return words.join(' ');
}

/** `a b - category c - category d`: names up to a dash share the category after it; the rest gets `fallback`. */
function parseDeclarations(nodes: Node[], fallback: string): Placed<Declared>[] {
  const out: Placed<Declared>[] = [];
  let waiting: Word[] = [];
  const declare = (category: string) => {
    for (const { text, place } of waiting) out.push({ name: text, category, place });
    waiting = [];
  };
  for (let i = 0; i < nodes.length; i++) {
    const item = word(nodes[i], 'a name');
    if (item.text !== '-') {
      waiting.push(item);
      continue;
    }
    const category = nodes[++i];
    if (waiting.length === 0) throw syntaxError(item.place, `expected a name before '-'.`);
    if (!category) throw syntaxError(item.place, `expected a category after '-'.`);
    declare(word(category, `a category after '-'`).text);
  }
  declare(fallback);
  return out;
}

function parseRegion(node: Node): Placed<Region> {
  const region = list(node, 'a region such as (left_region (:target table))');
  const name = head(region, 'the name of the region');
  let target: string | undefined;
  let ranges: Range[] = [];
  let yawRotation: [number, number] | undefined;
  const given = new Set<string>();
  for (const item of region.items.slice(1)) {
    const attribute = list(item, 'an attribute such as (:target table)');
    const kind = head(attribute, 'the name of an attribute').toLowerCase();
    if (given.has(kind))
      throw syntaxError(attribute.place, `'${kind}' of region '${name}' comes a second time; write it once.`);
    given.add(kind);
    if (kind === ':target') {
      target = onlyWord(attribute).text;
    } else if (kind === ':ranges') {
      ranges = tuples(attribute, 4).map(([x0, y0, x1, y1]) => [x0, y0, x1, y1]);
    } else if (kind === ':yaw_rotation') {
      const [pair, second] = tuples(attribute, 2);
      if (second) throw syntaxError(attribute.place, `expected one pair (low high) of angles; got several.`);
      if (pair) yawRotation = [pair[0], pair[1]];
    } else if (kind !== ':rgba') {
      throw syntaxError(
        attribute.place,
        `unknown attribute '${kind}' of region '${name}'; the attributes are :target, :ranges, :yaw_rotation, :rgba.`,
      );
    }
  }
  if (target === undefined) throw syntaxError(region.place, `region '${name}' has no (:target ...); add it.`);
  return { name, target, ranges, ...(yawRotation && { yawRotation }), place: region.place };
}

/** `(:attribute ((n n ...) ...))` -> tuples of `size` numbers. */
function tuples(attribute: List, size: number): number[][] {
  const [, value, extra] = attribute.items;
  if (!value || extra) throw syntaxError(attribute.place, 'expected one list of lists of numbers, as in ((0 1)).');
  return list(value, 'a list of lists of numbers').items.map((item) => {
    const tuple = list(item, `a list of ${size} numbers`);
    if (tuple.items.length !== size)
      throw syntaxError(tuple.place, `expected ${size} numbers; got ${tuple.items.length}.`);
    return tuple.items.map(number);
  });
}

/** A decimal number, or a multiple of pi without spaces (`-pi/2`, `0.25*pi`): LIBERO evaluates angles as Python. */
function number(node: Node): number {
  const { text, place } = word(node, 'a number');
  const value = evaluated(text, place);
  if (Number.isFinite(value)) return value;
  throw syntaxError(place, `'${text}' is ${value}; wanted a finite number.`);
}

function evaluated(text: string, place: Place): number {
  const decimal = String.raw`(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
  if (new RegExp(`^[+-]?${decimal}$`, 'i').test(text)) return Number(text);
  const pi = new RegExp(`^([+-]?)(?:(${decimal})\\*)?pi(?:/(${decimal}))?$`, 'i').exec(text);
  if (!pi) throw syntaxError(place, `expected a number; got '${text}'.`);
  return ((pi[1] === '-' ? -1 : 1) * Number(pi[2] ?? 1) * Math.PI) / Number(pi[3] ?? 1);
}

function parseGoal(section: List, names: Names): Atom[] {
  const [, node, extra] = section.items;
  if (!node || extra)
    throw syntaxError(
      section.place,
      `expected one atom or one (And atom ...) in :goal; got ${section.items.length - 1}.`,
    );
  const goal = list(node, 'an atom such as (On plate_1 table)');
  if (head(goal, 'And or a predicate').toLowerCase() !== 'and') return [parseAtom(goal, names)];
  if (goal.items.length === 1)
    throw syntaxError(goal.place, 'the goal (And) has no atoms, so it would always hold; write at least one.');
  return goal.items.slice(1).map((item) => parseAtom(item, names));
}

function parseAtom(node: Node, names: Names): Atom {
  const atom = list(node, 'an atom such as (On plate_1 table)');
  const predicate = head(atom, 'the name of a predicate').toLowerCase();
  if (!isPredicate(predicate))
    throw syntaxError(
      atom.place,
      `unknown predicate '${predicate}'; the predicates are ${Object.keys(PREDICATES).join(', ')}.`,
    );
  const args = atom.items.slice(1).map((item) => names.resolve(word(item, 'the name of an object or region')));
  const wanted = PREDICATES[predicate];
  if (args.length !== wanted)
    throw syntaxError(
      atom.place,
      `'${predicate}' takes ${wanted} argument${wanted > 1 ? 's' : ''}; got ${args.length}.`,
    );
  return { predicate, args };
}

function isPredicate(name: string): name is Predicate {
  return Object.hasOwn(PREDICATES, name);
}
