// Writes the task files of the five suites, src/sim/suites/<suite>/<task>.bddl, from the scenes in scripts/suites.
// Edit those and run `node scripts/write-suites.mjs`; the files are what the simulator reads.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { many } from './suites/ninety.mjs';
import { TABLE } from './suites/scenes.mjs';
import { goal, long, object, spatial } from './suites/tens.mjs';

const SUITES = {
  'tabletop-spatial': spatial,
  'tabletop-object': object,
  'tabletop-goal': goal,
  'tabletop-10': long,
  'tabletop-90': many,
};

/** Fixtures by category: the regions they have by themselves, and the largest turn they start with, rad. */
const FIXTURES = {
  wooden_cabinet: { regions: ['top_region', 'bottom_region', 'top_side'], yaw: 0.04 },
  flat_stove: { regions: ['cook_region'], yaw: 0.04 },
  wine_rack: { regions: ['top_region'], yaw: 0.04 },
  basket: { regions: ['contain_region'], yaw: 0 },
  plate: { regions: [], yaw: 0 },
};
const OBJECT_YAW = 0.3;
/** Half the side of the square in which a thing starts, metres; of a region that is a goal. */
const FIXTURE_JITTER = 0.01;
const OBJECT_JITTER = 0.02;
const GOAL_REGION = 0.03;

const categoryOf = (name) => name.replace(/_\d+$/, '');
const square = (x, y, half) => [x - half, y - half, x + half, y + half].map((v) => Number(v.toFixed(4))).join(' ');
const list = (head, lines) => `  (${head}\n${lines.map((line) => `    ${line}`).join('\n')}\n  )`;

/** Where one thing starts: its region of the table (if it has one) and its atom. */
function placed([name, ...where]) {
  if (typeof where[0] === 'string') {
    const inDrawer = /cabinet_\d+_(top|bottom)_region$/.test(where[0]);
    return { init: `(${inDrawer ? 'In' : 'On'} ${name} ${where[0]})` };
  }
  const fixture = FIXTURES[categoryOf(name)];
  const yaw = fixture ? fixture.yaw : OBJECT_YAW;
  const ranges = `(:ranges ((${square(...where, fixture ? FIXTURE_JITTER : OBJECT_JITTER)})))`;
  const turn = yaw > 0 ? ` (:yaw_rotation ((${-yaw} ${yaw})))` : '';
  return {
    region: `(${name}_init_region (:target ${TABLE}) ${ranges}${turn})`,
    init: `(On ${name} ${TABLE}_${name}_init_region)`,
  };
}

function bddl(scene, [instruction, goals, { start = scene.start ?? [], move = {} } = {}]) {
  const things = scene.things.map(([name, ...where]) => [name, ...(move[name] ?? where)]);
  const names = things.map(([name]) => name);
  const fixtures = names.filter((name) => categoryOf(name) in FIXTURES);
  const objects = names.filter((name) => !fixtures.includes(name));
  const places = things.map(placed);
  const regions = [
    ...places.flatMap(({ region }) => region ?? []),
    ...(scene.regions ?? []).map(
      ([name, x, y]) => `(${name} (:target ${TABLE}) (:ranges ((${square(x, y, GOAL_REGION)}))))`,
    ),
    ...fixtures.flatMap((name) => FIXTURES[categoryOf(name)].regions.map((region) => `(${region} (:target ${name}))`)),
  ];
  const goalWords = goals.flatMap((atom) => atom.split(' ').slice(1));
  const interest = [...objects, ...fixtures].filter((name) => goalWords.some((word) => word.startsWith(name)));
  const declared = (all) => all.map((name) => `${name} - ${categoryOf(name)}`);
  return `(define (problem nina_tabletop)
  (:domain tabletop)
  (:language ${instruction})
${list(':regions', regions)}
${list(':fixtures', [`${TABLE} - table`, ...declared(fixtures)])}
${list(':objects', declared(objects))}
${list(':obj_of_interest', interest)}
${list(':init', [...places.map(({ init }) => init), ...start.map((atom) => `(${atom})`)])}
  (:goal
    (And ${goals.map((atom) => `(${atom})`).join(' ')})
  )
)
`;
}

const out = path.join(path.dirname(import.meta.dirname), 'src/sim/suites');
for (const [suite, scenes] of Object.entries(SUITES)) {
  const folder = path.join(out, suite);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const scene of scenes)
    for (const task of scene.tasks) {
      const words = [...(scene.name ? [scene.name] : []), ...task[0].split(' ')];
      fs.writeFileSync(path.join(folder, `${words.join('_')}.bddl`), bddl(scene, task));
    }
  console.log(`${suite}: ${fs.readdirSync(folder).length} tasks`);
}
