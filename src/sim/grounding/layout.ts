/**
 * What a scene is made of and where: a problem, as a task file would say it. Either 3 to 7 things anywhere on the table,
 * turned any way, some in or on others; or a suite's task, at its start or with one of its goals reached.
 */
import { hypot } from '../../math.ts';
import type { Rng } from '../../random.ts';
import type { Atom, Declared, Problem, Region } from '../bddl/index.ts';
import { FIXTURES } from '../fixtures.ts';
import { OBJECTS } from '../objects.ts';
import { quaternionFromYaw, rotate } from '../rotation.ts';

/** Half sides of the part of the table that things are put on, metres: what the front camera shows and the arm reaches. */
const SPREAD_M = [0.28, 0.42] as const;
/** As the placement keeps between objects, metres. */
const GAP_M = 0.026;
const ATTEMPTS = 30;
/** Share of objects that are put in or on another thing, where there is one. */
const CARRIED = 0.3;
/** What carries objects beside fixtures. */
const CARRIERS = ['black_bowl', 'white_bowl', 'ramekin', 'cookies'];
const TABLE = 'main_table';

interface Disc {
  x: number;
  y: number;
  radius: number;
}

/** Some of `everything`, anywhere. */
export function randomProblem(everything: Problem, random: Rng): Problem {
  const count = 3 + random.int(5);
  const fixtures = shuffled(everything.fixtures, random).filter(({ name }) => name !== TABLE);
  const chosen = fixtures.slice(0, Math.min(random.int(4), count - 1));
  const discs: Disc[] = [];
  const regions: Region[] = [];
  const init: Atom[] = [];
  const supports: Atom[] = [];
  /** Puts a thing on a free place of the table, if one is found. */
  const onTable = ({ name }: Declared, yaw: number, shapes: readonly Disc[]): boolean => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [x, y] = SPREAD_M.map((half) => random.uniform(-half, half)) as [number, number];
      const placed = shapes.map((shape) => {
        const [dx, dy] = rotate(quaternionFromYaw(yaw), [shape.x, shape.y, 0]);
        return { x: x + dx, y: y + dy, radius: shape.radius };
      });
      if (placed.some((a) => discs.some((b) => hypot(a.x - b.x, a.y - b.y) < a.radius + b.radius + GAP_M))) continue;
      discs.push(...placed);
      regions.push({ name: `${name}_place`, target: TABLE, ranges: [[x, y, x, y]], yawRotation: [yaw, yaw] });
      init.push({ predicate: 'on', args: [name, `${TABLE}_${name}_place`] });
      return true;
    }
    return false;
  };
  const stand = chosen.filter((fixture) => {
    const kind = FIXTURES[fixture.category]!;
    const parts = Object.entries(kind.parts);
    const open = parts.filter(() => random.uniform() < 0.35).slice(0, 1);
    const drawer = open.find(([, part]) => part.kind === 'drawer');
    const shapes = [{ x: 0, y: 0, radius: hypot(...kind.footprintM) }];
    if (drawer) shapes.push({ x: 0, y: kind.footprintM[1] + drawer[1].travel / 2, radius: kind.footprintM[0] });
    if (!onTable(fixture, turn(random), shapes)) return false;
    for (const [name, { kind: motion }] of open)
      init.push(
        motion === 'drawer'
          ? { predicate: 'open', args: [`${fixture.name}_${name}`] }
          : { predicate: 'turnon', args: [fixture.name] },
      );
    for (const [name, { part }] of Object.entries(kind.regions)) {
      regions.push({ name, target: fixture.name, ranges: [], yawRotation: [-Math.PI, Math.PI] });
      if (part && part !== drawer?.[0]) continue;
      const inside = part !== undefined || name === 'contain_region';
      supports.push({ predicate: inside ? 'in' : 'on', args: [`${fixture.name}_${name}`] });
    }
    if (kind.topM !== undefined) supports.push({ predicate: 'on', args: [fixture.name] });
    return true;
  });
  const objects = shuffled(everything.objects, random)
    .slice(0, count - stand.length)
    .filter((object) => {
      const carrier = CARRIERS.includes(object.category);
      const support = random.uniform() < CARRIED && !carrier ? random.int(supports.length) : undefined;
      if (support !== undefined && supports.length > 0) {
        const [{ predicate, args }] = supports.splice(support, 1);
        init.push({ predicate, args: [object.name, ...args] });
        return true;
      }
      const shape = { x: 0, y: 0, radius: OBJECTS[object.category]!.radiusM };
      if (!onTable(object, random.uniform(-Math.PI, Math.PI), [shape])) return false;
      if (carrier) supports.push({ predicate: 'on', args: [object.name] });
      return true;
    });
  return { ...everything, fixtures: [table(everything), ...stand], objects, regions, init };
}

/** A task's problem, or half of the time one in which one of its goals already holds. */
export function taskProblem(problem: Problem, random: Rng): Problem {
  const { init, goal } = problem;
  const reached = random.pick(goal);
  const [subject, place] = reached.args;
  const taken = place !== undefined && init.some(({ args }) => args[1] === place);
  // What carries something else stays where it is.
  const carries = init.some(({ args }) => args[1] === subject);
  if (taken || carries || random.uniform() < 0.5) return problem;
  const before = init.filter(({ args }) => args[0] !== subject || args.length !== reached.args.length);
  return { ...problem, init: [...before, reached] };
}

/** Half of the fixtures stand about as in the suites, half any way. */
const turn = (random: Rng) => (random.uniform() < 0.5 ? random.uniform(-0.3, 0.3) : random.uniform(-Math.PI, Math.PI));

const table = ({ fixtures }: Problem): Declared => fixtures.find(({ name }) => name === TABLE)!;

function shuffled<T>(items: readonly T[], random: Rng): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(random.int(rest.length), 1)[0]!);
}
