import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NinaError } from '../../errors.ts';
import { type Atom, type Declared, PREDICATES, type Predicate, type Problem, parseBddl } from './index.ts';

const SOURCE = `; a task
(define (problem Kitchen)
  (:domain robosuite)
  (:language Put the bowl, gently, on  the stove)
  (:requirements)
  (:regions
    (left_region (:target Table) (:ranges ((-0.1 -.2 1e-1 0.2) (0 0 5E-2 1.))) (:yaw_rotation ((-pi/2 0.25*pi))))
    (cook_region (:target stove_1) (:rgba (0 0 1 0)))
    (elsewhere (:target drainer_1)))
  (:fixtures table - kitchen_table stove_1 - flat_stove)
  (:objects bowl_1 bowl_2 - black_bowl spoon_1)
  (:obj_of_interest)
  (:init (On bowl_1 table_left_region) (Open stove_1)) ; settled
  (:GOAL (and (ON Bowl_1 STOVE_1_cook_region) (Turnon stove_1)))
)`;

describe('parseBddl', () => {
  it('reads every section', () => {
    expect(parseBddl(SOURCE)).toEqual({
      name: 'Kitchen',
      domain: 'robosuite',
      language: 'Put the bowl, gently, on the stove',
      regions: [
        {
          name: 'left_region',
          target: 'table',
          ranges: [
            [-0.1, -0.2, 0.1, 0.2],
            [0, 0, 0.05, 1],
          ],
          yawRotation: [-Math.PI / 2, Math.PI / 4],
        },
        { name: 'cook_region', target: 'stove_1', ranges: [] },
        { name: 'elsewhere', target: 'drainer_1', ranges: [] },
      ],
      fixtures: [
        { name: 'table', category: 'kitchen_table' },
        { name: 'stove_1', category: 'flat_stove' },
      ],
      objects: [
        { name: 'bowl_1', category: 'black_bowl' },
        { name: 'bowl_2', category: 'black_bowl' },
        { name: 'spoon_1', category: 'object' },
      ],
      objectsOfInterest: [],
      init: [
        { predicate: 'on', args: ['bowl_1', 'table_left_region'] },
        { predicate: 'open', args: ['stove_1'] },
      ],
      goal: [
        { predicate: 'on', args: ['bowl_1', 'stove_1_cook_region'] },
        { predicate: 'turnon', args: ['stove_1'] },
      ],
    });
  });

  it('reads a goal that is one atom, sections in any order and Windows line ends', () => {
    const source = '(define\r\n(:goal (Open door))\r\n(:fixtures door - door)(:language go)(:domain d)(problem p))\r\n';
    expect(parseBddl(source).goal).toEqual([{ predicate: 'open', args: ['door'] }]);
  });
});

/** A valid source in which `from` is replaced, and the complete message that must come. */
const ERRORS: [what: string, from: string, to: string, message: string][] = [
  [
    'a section written twice',
    '(:init',
    '(:domain d) (:init',
    "line 13, column 3: section ':domain' comes a second time",
  ],
  [
    'text after the end',
    '\n)',
    '\n) x',
    "line 15, column 3: expected the end of the file after the definition; got 'x'",
  ],
  ['an unknown section', '(:domain', '(:horizon 3) (:domain', "line 3, column 3: unknown section ':horizon'"],
  ['a missing section', '(:domain robosuite)', '', 'line 2, column 1: the definition has no (:domain ...) section'],
  ['an empty instruction', 'Put the bowl, gently, on  the stove', '', 'line 4, column 3: the instruction is empty'],
  ['a bad number', '1e-1', '1e', "line 7, column 54: expected a number; got '1e'"],
  ['a short range', '-.2', '', 'line 7, column 44: expected 4 numbers; got 3'],
  ['an unknown attribute', ':rgba', ':rgb', "line 8, column 36: unknown attribute ':rgb' of region 'cook_region'"],
  ['a region without target', '(:target stove_1)', '', "line 8, column 5: region 'cook_region' has no (:target ...)"],
  ['a dash without category', 'flat_stove', '', "line 10, column 44: expected a category after '-'"],
  ['a dash without name', 'bowl_1 bowl_2', '', "line 11, column 14: expected a name before '-'"],
  ['a name declared twice', 'bowl_2', 'BOWL_1', "line 11, column 20: 'BOWL_1' is declared a second time"],
  ['an undeclared name', 'ON Bowl_1', 'ON bwl_1', "line 14, column 19: 'bwl_1' is not declared; the names are table,"],
  [
    'an absent target',
    'STOVE_1_cook_region',
    'drainer_1_elsewhere',
    "line 14, column 26: 'drainer_1_elsewhere' is not",
  ],
  [
    'an unknown predicate',
    'Turnon',
    'Or',
    "line 14, column 47: unknown predicate 'or'; the predicates are on, in, open,",
  ],
  ['a wrong count', 'Open stove_1', 'Open stove_1 table', "line 13, column 40: 'open' takes 1 argument; got 2"],
  ['an atom that is a word', '(Open stove_1)', 'Open', 'line 13, column 40: expected an atom such as'],
  ['a list as a name', '(:obj_of_interest', '(:obj_of_interest (a)', 'line 12, column 21: expected a name; got a list'],
  [
    'an empty list',
    '(:obj_of_interest)',
    '()',
    'line 12, column 3: expected the name of a section; got the empty list ()',
  ],
];

describe('errors name file, line and column', () => {
  it.each(ERRORS)('%s', (_, from, to, message) => {
    const source = SOURCE.replace(from, to);
    expect(source).not.toBe(SOURCE);
    expect(() => parseBddl(source, 'task.bddl')).toThrow(`task.bddl, ${message}`);
    expect(() => parseBddl(source, 'task.bddl')).toThrow(NinaError);
  });

  it('whole files', () => {
    expect(() => parseBddl('', 'a')).toThrow("a, line 1, column 1: expected '(define ...)'; the file is empty.");
    expect(() => parseBddl('hello', 'a')).toThrow("a, line 1, column 1: expected '(define ...)'; got 'hello'.");
    expect(() => parseBddl('(defun)', 'a')).toThrow("a, line 1, column 2: expected 'define' after the first '('");
    expect(() => parseBddl(SOURCE.slice(0, -1), 'a')).toThrow("line 2, column 1: this '(' is never closed");
    expect(() => parseBddl('(define (problem p)(:domain d)(:language l)(:goal (And)))')).toThrow('would always hold');
  });

  it('never anything but a NinaError, whatever the text', () => {
    const soup = fc.array(fc.constantFrom('(', ')', 'define', ':goal', 'And', '-', ':regions', '1', ';', '\n', ' x '));
    fc.assert(
      fc.property(soup, fc.integer({ min: 0, max: SOURCE.length }), (words, at) => {
        try {
          parseBddl(SOURCE.slice(0, at) + words.join(' ') + SOURCE.slice(at));
        } catch (error) {
          expect(error).toBeInstanceOf(NinaError);
          expect((error as NinaError).message).toMatch(/, line \d+, column \d+: .+\.$/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

const print = (problem: Problem): string => {
  const atom = ({ predicate, args }: Atom) => `(${predicate} ${args.join(' ')})`;
  const declared = (items: Declared[]) => items.map(({ name, category }) => `${name} - ${category}`).join('\n');
  const tuple = (numbers: readonly number[]) => `(${numbers.join(' ')})`;
  const regions = problem.regions.map(
    ({ name, target, ranges, yawRotation }) =>
      `(${name} (:target ${target}) (:ranges (${ranges.map(tuple).join('\n')}))
       ${yawRotation ? `(:yaw_rotation (${tuple(yawRotation)}))` : ''}) ; ${name}`,
  );
  return `(define (problem ${problem.name}) (:domain ${problem.domain}) (:language ${problem.language})
    (:regions ${regions.join('\n')}\n) (:fixtures ${declared(problem.fixtures)}) (:objects ${declared(problem.objects)})
    (:obj_of_interest ${problem.objectsOfInterest.join(' ')}) (:init ${problem.init.map(atom).join('\n')})
    (:goal (And ${problem.goal.map(atom).join(' ')})))`;
};

const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,8}$/);
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x));
const problem: fc.Arbitrary<Problem> = fc
  .record({
    names: fc.uniqueArray(name, { minLength: 2, maxLength: 6, selector: (text) => text.toLowerCase() }),
    category: name,
    // A suffix that no generated name can end in: a region must not collide with a thing.
    regions: fc.array(
      fc.record({
        ranges: fc.array(fc.tuple(number, number, number, number)),
        yaw: fc.option(fc.tuple(number, number)),
      }),
      { maxLength: 4 },
    ),
    words: fc.array(fc.stringMatching(/^[!-':<-~]{1,8}$/), { minLength: 1 }),
    picks: fc.array(fc.tuple(fc.constantFrom(...(Object.keys(PREDICATES) as Predicate[])), fc.nat(), fc.nat()), {
      minLength: 1,
    }),
  })
  .map(({ names, category, regions: parts, words, picks }) => {
    const declared = names.map((text) => ({ name: text, category }));
    const regions = parts.map(({ ranges, yaw }, i) => ({
      name: `part-${i}`,
      target: names[i % names.length],
      ranges,
      ...(yaw && { yawRotation: yaw }),
    }));
    const all = [...names, ...regions.map((region) => `${region.target}_${region.name}`)];
    const atoms = picks.map(([predicate, ...at]) => ({
      predicate,
      args: at.slice(0, PREDICATES[predicate]).map((i) => all[i % all.length]),
    }));
    return {
      name: names[0],
      domain: category,
      language: words.join(' '),
      regions,
      fixtures: declared.slice(0, 1),
      objects: declared.slice(1),
      objectsOfInterest: all.slice(1),
      init: atoms.slice(1),
      goal: atoms,
    };
  });

it('parsing what was printed gives the same problem', () => {
  fc.assert(
    fc.property(problem, (wanted) => {
      expect(parseBddl(print(wanted))).toEqual(wanted);
    }),
  );
});
