// Writes the task files of the five suites, src/sim/suites/<suite>/<task>.bddl, from the scenes below.
// Edit a scene or a task here and run `node scripts/write-suites.mjs`; the files are what the simulator reads.
//
// A scene lists things as [name, x, y] (metres on the table; the category is the name without its number) or as
// [name, place] (a region or another thing). Jitter around a point: 10 mm for fixtures, 20 mm for objects.
// A task is [instruction, goal atoms, changes to the scene]; all tasks of a scene start alike unless they change it.
import * as fs from 'node:fs';
import * as path from 'node:path';

const OUT = path.join(path.dirname(import.meta.dirname), 'src/sim/suites');
const FIXTURES = ['wooden_cabinet', 'flat_stove', 'wine_rack', 'basket', 'plate'];
/** Regions that a fixture has by itself. */
const OWN_REGIONS = {
  wooden_cabinet: ['top_region', 'bottom_region', 'top_side'],
  flat_stove: ['cook_region'],
  wine_rack: ['top_region'],
  basket: ['contain_region'],
  plate: [],
};
const TABLE = 'main_table';

const categoryOf = (name) => name.replace(/_\d+$/, '');
const isFixture = (name) => FIXTURES.includes(categoryOf(name));

const groceries = (names) => [
  ['basket_1', -0.02, 0.245],
  ...names.map((name, i) => [`${name}_1`, [-0.11, 0.07, -0.11, 0.07, -0.02][i], [-0.25, -0.25, -0.1, -0.1, 0.04][i]]),
];
const inBasket = (name) => `In ${name}_1 basket_1_contain_region`;
const say = (name) => name.replaceAll('_', ' ');

const PANTRY = ['alphabet_soup', 'cream_cheese', 'ketchup', 'milk', 'butter'];
const BREAKFAST = ['tomato_sauce', 'chocolate_pudding', 'bbq_sauce', 'orange_juice', 'salad_dressing'];

/** tabletop-object: which thing goes in the basket, five instructions over each of two scenes. */
const object = [PANTRY, BREAKFAST].map((names) => ({
  things: groceries(names),
  tasks: names.map((name) => [`pick up the ${say(name)} and place it in the basket`, [inBasket(name)]]),
}));

/** tabletop-spatial: which of two equal bowls, told by where it is. Where each may be: */
const BOWL_SPOTS = {
  'between the plate and the ramekin': [-0.025, 0.13],
  'next to the ramekin': [-0.14, 0.04],
  'at the center of the table': [-0.02, 0],
  'on the cookie box': 'cookies_1',
  'in the top drawer of the wooden cabinet': 'wooden_cabinet_1_top_region',
  'on the ramekin': 'ramekin_1',
  'next to the cookie box': [-0.05, -0.1],
  'on the stove': 'flat_stove_1_cook_region',
  'next to the plate': [0.1, -0.03],
  'on the wooden cabinet': 'wooden_cabinet_1_top_side',
};
/** The spot of the other bowl, in the order of the spots above. */
const OTHER_SPOTS = [
  'next to the cookie box',
  'on the wooden cabinet',
  'on the stove',
  'next to the plate',
  'next to the ramekin',
  'at the center of the table',
  'on the ramekin',
  'next to the plate',
  'on the cookie box',
  'between the plate and the ramekin',
];
const spatial = Object.entries(BOWL_SPOTS).map(([relation, spot], i) => {
  // The wanted bowl is now the first and now the second, so that its name gives nothing away.
  const [wanted, other] = i % 2 === 0 ? ['black_bowl_1', 'black_bowl_2'] : ['black_bowl_2', 'black_bowl_1'];
  const bowls = [
    [wanted, spot],
    [other, BOWL_SPOTS[OTHER_SPOTS[i]]],
  ].sort();
  return {
    things: [
      ['wooden_cabinet_1', 0, -0.34],
      ['flat_stove_1', 0.04, 0.32],
      ['plate_1', 0.1, 0.1],
      ['ramekin_1', -0.15, 0.16],
      ['cookies_1', -0.16, -0.1],
      ...bowls.map(([name, where]) => [name, ...[where].flat()]),
    ],
    start: relation.includes('drawer') ? ['Open wooden_cabinet_1_top_region'] : [],
    tasks: [[`pick up the black bowl ${relation} and place it on the plate`, [`On ${wanted} plate_1`]]],
  };
});

/** tabletop-goal: one scene, ten things to do in it. */
const goal = [
  {
    things: [
      ['wooden_cabinet_1', 0, -0.34],
      ['flat_stove_1', 0.04, 0.3],
      ['plate_1', 0.05, 0.09],
      ['wine_rack_1', 0.215, -0.04],
      ['black_bowl_1', -0.12, 0.09],
      ['cream_cheese_1', -0.17, 0.2],
      ['wine_bottle_1', 0.18, 0.13],
    ],
    tasks: [
      ['open the top drawer of the cabinet', ['Open wooden_cabinet_1_top_region']],
      ['open the bottom drawer of the cabinet', ['Open wooden_cabinet_1_bottom_region']],
      ['turn on the stove', ['Turnon flat_stove_1']],
      ['put the bowl on the stove', ['On black_bowl_1 flat_stove_1_cook_region']],
      ['put the bowl on the plate', ['On black_bowl_1 plate_1']],
      ['put the bowl on top of the cabinet', ['On black_bowl_1 wooden_cabinet_1_top_side']],
      ['put the cream cheese in the bowl', ['On cream_cheese_1 black_bowl_1']],
      ['put the wine bottle on the rack', ['On wine_bottle_1 wine_rack_1_top_region']],
      ['put the wine bottle on top of the cabinet', ['On wine_bottle_1 wooden_cabinet_1_top_side']],
      ['open the top drawer and put the bowl inside', ['In black_bowl_1 wooden_cabinet_1_top_region']],
    ],
  },
];

// Nothing stands under an open drawer or its handle: y > 0.01 once a drawer is out.
const cabinetScene = [
  ['wooden_cabinet_1', 0, -0.34],
  ['plate_1', 0.08, 0.12],
  ['black_bowl_1', -0.12, 0.1],
  ['cream_cheese_1', -0.14, 0.22],
  ['butter_1', 0.05, 0.26],
];
const stoveScene = [
  ['flat_stove_1', 0.03, -0.28],
  ['plate_1', 0.1, 0.18],
  ['moka_pot_1', -0.13, -0.06],
  ['black_bowl_1', -0.08, 0.12],
  ['white_mug_1', 0.08, -0.02],
];
const mugScene = [
  ['plate_1', 0.04, -0.22],
  ['plate_2', 0.04, 0.22],
  ['white_mug_1', -0.13, -0.12],
  ['red_mug_1', 0.02, 0],
  ['chocolate_pudding_1', -0.15, 0.12],
];
const rackScene = [
  ['wine_rack_1', 0.14, -0.26],
  ['plate_1', 0.05, 0.22],
  ['wine_bottle_1', -0.13, -0.18],
  ['black_book_1', -0.12, 0],
  ['white_bowl_1', 0.08, 0],
  ['tomato_sauce_1', -0.14, 0.15],
];
const SIDES = [
  ['plate_right_region', 0.04, -0.06],
  ['plate_left_region', 0.04, 0.06],
];

/** tabletop-10: two things to do, one after the other. */
const long = [
  {
    things: groceries(['alphabet_soup', 'cream_cheese', 'tomato_sauce', 'ketchup', 'butter']),
    tasks: [
      [
        'put both the alphabet soup and the tomato sauce in the basket',
        [inBasket('alphabet_soup'), inBasket('tomato_sauce')],
      ],
      ['put both the cream cheese and the butter in the basket', [inBasket('cream_cheese'), inBasket('butter')]],
    ],
  },
  {
    things: stoveScene,
    tasks: [
      [
        'turn on the stove and put the moka pot on it',
        ['Turnon flat_stove_1', 'On moka_pot_1 flat_stove_1_cook_region'],
      ],
      [
        'turn off the stove and put the black bowl on it',
        ['Turnoff flat_stove_1', 'On black_bowl_1 flat_stove_1_cook_region'],
        { start: ['Turnon flat_stove_1'] },
      ],
    ],
  },
  {
    things: cabinetScene,
    tasks: [
      [
        'put the black bowl in the top drawer of the cabinet and close it',
        ['In black_bowl_1 wooden_cabinet_1_top_region', 'Close wooden_cabinet_1_top_region'],
        { start: ['Open wooden_cabinet_1_top_region'] },
      ],
      [
        'open the top drawer of the cabinet and put the butter in it',
        ['Open wooden_cabinet_1_top_region', 'In butter_1 wooden_cabinet_1_top_region'],
      ],
      [
        'put the black bowl on the plate and put the cream cheese in the bowl',
        ['On black_bowl_1 plate_1', 'On cream_cheese_1 black_bowl_1'],
      ],
    ],
  },
  {
    things: mugScene,
    tasks: [
      [
        'put the white mug on the right plate and put the red mug on the left plate',
        ['On white_mug_1 plate_1', 'On red_mug_1 plate_2'],
      ],
      [
        'put the red mug on the right plate and put the chocolate pudding on the left plate',
        ['On red_mug_1 plate_1', 'On chocolate_pudding_1 plate_2'],
      ],
    ],
  },
  {
    things: rackScene,
    tasks: [
      [
        'put the wine bottle on the rack and put the white bowl on the plate',
        ['On wine_bottle_1 wine_rack_1_top_region', 'On white_bowl_1 plate_1'],
      ],
    ],
  },
];

const basketTasks = (names) => [
  ...names.map((name) => [`put the ${say(name)} in the basket`, [inBasket(name)]]),
  ...names.map((name, i) => {
    const next = names[(i + 1) % names.length];
    return [`put the ${say(name)} and the ${say(next)} in the basket`, [inBasket(name), inBasket(next)]];
  }),
];
const onPlates = ['white_mug', 'red_mug', 'chocolate_pudding'].flatMap((name) => [
  [`put the ${say(name)} on the right plate`, [`On ${name}_1 plate_1`]],
  [`put the ${say(name)} on the left plate`, [`On ${name}_1 plate_2`]],
]);
const open = { start: ['Open wooden_cabinet_1_top_region'] };

/** tabletop-90: ten tasks in each of nine scenes. */
const many = [
  {
    name: 'kitchen_1',
    things: cabinetScene,
    tasks: [
      ['open the top drawer of the cabinet', ['Open wooden_cabinet_1_top_region']],
      ['open the bottom drawer of the cabinet', ['Open wooden_cabinet_1_bottom_region']],
      ['put the black bowl on the plate', ['On black_bowl_1 plate_1']],
      ['put the black bowl on top of the cabinet', ['On black_bowl_1 wooden_cabinet_1_top_side']],
      ['open the top drawer and put the black bowl in it', ['In black_bowl_1 wooden_cabinet_1_top_region']],
      ['put the cream cheese in the bowl', ['On cream_cheese_1 black_bowl_1']],
      ['put the cream cheese on the plate', ['On cream_cheese_1 plate_1']],
      ['put the cream cheese on top of the cabinet', ['On cream_cheese_1 wooden_cabinet_1_top_side']],
      ['put the butter on the plate', ['On butter_1 plate_1']],
      ['put the butter in the bowl', ['On butter_1 black_bowl_1']],
    ],
  },
  {
    name: 'kitchen_2',
    things: cabinetScene,
    tasks: [
      ['close the top drawer of the cabinet', ['Close wooden_cabinet_1_top_region'], open],
      [
        'close the bottom drawer of the cabinet',
        ['Close wooden_cabinet_1_bottom_region'],
        { start: ['Open wooden_cabinet_1_bottom_region'] },
      ],
      ['put the black bowl in the top drawer of the cabinet', ['In black_bowl_1 wooden_cabinet_1_top_region'], open],
      [
        'put the cream cheese in the top drawer of the cabinet',
        ['In cream_cheese_1 wooden_cabinet_1_top_region'],
        open,
      ],
      ['put the butter in the top drawer of the cabinet', ['In butter_1 wooden_cabinet_1_top_region'], open],
      [
        'put the cream cheese in the top drawer of the cabinet and close it',
        ['In cream_cheese_1 wooden_cabinet_1_top_region', 'Close wooden_cabinet_1_top_region'],
        open,
      ],
      [
        'put the butter in the top drawer of the cabinet and close it',
        ['In butter_1 wooden_cabinet_1_top_region', 'Close wooden_cabinet_1_top_region'],
        open,
      ],
      [
        'close the top drawer of the cabinet and put the black bowl on top of it',
        ['Close wooden_cabinet_1_top_region', 'On black_bowl_1 wooden_cabinet_1_top_side'],
        open,
      ],
      [
        'close the top drawer of the cabinet and put the butter on the plate',
        ['Close wooden_cabinet_1_top_region', 'On butter_1 plate_1'],
        open,
      ],
      [
        'close the bottom drawer of the cabinet and open the top drawer',
        ['Close wooden_cabinet_1_bottom_region', 'Open wooden_cabinet_1_top_region'],
        { start: ['Open wooden_cabinet_1_bottom_region'] },
      ],
    ],
  },
  {
    name: 'kitchen_3',
    things: stoveScene,
    tasks: [
      ['turn on the stove', ['Turnon flat_stove_1']],
      ['put the moka pot on the stove', ['On moka_pot_1 flat_stove_1_cook_region']],
      ['put the black bowl on the stove', ['On black_bowl_1 flat_stove_1_cook_region']],
      ['put the white mug on the stove', ['On white_mug_1 flat_stove_1_cook_region']],
      ['put the moka pot on the plate', ['On moka_pot_1 plate_1']],
      ['put the black bowl on the plate', ['On black_bowl_1 plate_1']],
      ['put the white mug on the plate', ['On white_mug_1 plate_1']],
      [
        'turn on the stove and put the black bowl on it',
        ['Turnon flat_stove_1', 'On black_bowl_1 flat_stove_1_cook_region'],
      ],
      [
        'put the moka pot on the stove and turn it on',
        ['On moka_pot_1 flat_stove_1_cook_region', 'Turnon flat_stove_1'],
      ],
      ['put the white mug on the plate and turn on the stove', ['On white_mug_1 plate_1', 'Turnon flat_stove_1']],
    ],
  },
  {
    name: 'kitchen_4',
    things: stoveScene,
    start: ['Turnon flat_stove_1'],
    tasks: [
      ['turn off the stove', ['Turnoff flat_stove_1']],
      ['turn off the stove and put the white mug on the plate', ['Turnoff flat_stove_1', 'On white_mug_1 plate_1']],
      ['put the moka pot on the hot stove', ['On moka_pot_1 flat_stove_1_cook_region']],
      [
        'put the moka pot on the stove and turn it off',
        ['On moka_pot_1 flat_stove_1_cook_region', 'Turnoff flat_stove_1'],
      ],
      [
        'take the moka pot off the stove and put it on the plate',
        ['On moka_pot_1 plate_1'],
        { move: { moka_pot_1: ['flat_stove_1_cook_region'] } },
      ],
      [
        'take the black bowl off the stove and put it on the plate',
        ['On black_bowl_1 plate_1'],
        { move: { black_bowl_1: ['flat_stove_1_cook_region'] } },
      ],
      [
        'turn off the stove and put the moka pot on the plate',
        ['Turnoff flat_stove_1', 'On moka_pot_1 plate_1'],
        { move: { moka_pot_1: ['flat_stove_1_cook_region'] } },
      ],
      [
        'take the black bowl off the stove and put the moka pot on it',
        ['On black_bowl_1 plate_1', 'On moka_pot_1 flat_stove_1_cook_region'],
        { move: { black_bowl_1: ['flat_stove_1_cook_region'] } },
      ],
      ['put the white mug on the hot stove', ['On white_mug_1 flat_stove_1_cook_region']],
      ['put the black bowl on the plate and turn off the stove', ['On black_bowl_1 plate_1', 'Turnoff flat_stove_1']],
    ],
  },
  { name: 'living_room_1', things: groceries(PANTRY), tasks: basketTasks(PANTRY) },
  { name: 'living_room_2', things: groceries(BREAKFAST), tasks: basketTasks(BREAKFAST) },
  {
    name: 'living_room_3',
    things: mugScene,
    regions: SIDES,
    tasks: [
      ...onPlates,
      [
        'put the white mug on the left plate and the red mug on the right plate',
        ['On white_mug_1 plate_2', 'On red_mug_1 plate_1'],
      ],
      [
        'put the chocolate pudding on the right plate and the white mug on the left plate',
        ['On chocolate_pudding_1 plate_1', 'On white_mug_1 plate_2'],
      ],
      [
        'put the chocolate pudding to the left of the right plate',
        [`On chocolate_pudding_1 ${TABLE}_plate_right_region`],
        { move: { red_mug_1: [-0.02, 0.05] } },
      ],
      [
        'put the white mug to the right of the left plate',
        [`On white_mug_1 ${TABLE}_plate_left_region`],
        { move: { red_mug_1: [-0.02, -0.05] } },
      ],
    ],
  },
  {
    name: 'study_1',
    things: rackScene,
    tasks: [
      ['put the wine bottle on the rack', ['On wine_bottle_1 wine_rack_1_top_region']],
      ['put the black book on the rack', ['On black_book_1 wine_rack_1_top_region']],
      ['put the tomato sauce on the rack', ['On tomato_sauce_1 wine_rack_1_top_region']],
      ['put the white bowl on the rack', ['On white_bowl_1 wine_rack_1_top_region']],
      ['put the wine bottle on the plate', ['On wine_bottle_1 plate_1']],
      ['put the black book on the plate', ['On black_book_1 plate_1']],
      ['put the white bowl on the plate', ['On white_bowl_1 plate_1']],
      ['put the tomato sauce in the white bowl', ['On tomato_sauce_1 white_bowl_1']],
      [
        'put the tomato sauce on the plate and the black book on the rack',
        ['On tomato_sauce_1 plate_1', 'On black_book_1 wine_rack_1_top_region'],
      ],
      [
        'put the white bowl on the plate and the tomato sauce in it',
        ['On white_bowl_1 plate_1', 'On tomato_sauce_1 white_bowl_1'],
      ],
    ],
  },
  {
    name: 'kitchen_5',
    things: goal[0].things,
    tasks: [
      ['put the cream cheese on the plate', ['On cream_cheese_1 plate_1']],
      ['put the cream cheese on the stove', ['On cream_cheese_1 flat_stove_1_cook_region']],
      ['put the cream cheese on top of the cabinet', ['On cream_cheese_1 wooden_cabinet_1_top_side']],
      ['put the cream cheese on the rack', ['On cream_cheese_1 wine_rack_1_top_region']],
      ['put the wine bottle on the plate', ['On wine_bottle_1 plate_1']],
      ['put the wine bottle on the stove', ['On wine_bottle_1 flat_stove_1_cook_region']],
      ['put the bowl on the rack', ['On black_bowl_1 wine_rack_1_top_region']],
      [
        'turn on the stove and open the top drawer of the cabinet',
        ['Turnon flat_stove_1', 'Open wooden_cabinet_1_top_region'],
      ],
      ['turn on the stove and put the bowl on the plate', ['Turnon flat_stove_1', 'On black_bowl_1 plate_1']],
      [
        'put the wine bottle on the rack and the cream cheese in the bowl',
        ['On wine_bottle_1 wine_rack_1_top_region', 'On cream_cheese_1 black_bowl_1'],
      ],
    ],
  },
];

const round = (v) => Number(v.toFixed(4));

function bddl(scene, [instruction, goals, { start = scene.start ?? [], move = {} } = {}]) {
  const things = scene.things.map(([name, ...where]) => [name, ...(move[name] ?? where)]);
  const regions = [];
  const init = [];
  for (const [name, ...where] of things) {
    if (typeof where[0] === 'string') {
      const inside = where[0].endsWith('top_region') && where[0].includes('cabinet');
      init.push(`(${inside ? 'In' : 'On'} ${name} ${where[0]})`);
      continue;
    }
    const [x, y] = where;
    const jitter = isFixture(name) ? 0.01 : 0.02;
    const yaw = categoryOf(name) === 'plate' || categoryOf(name) === 'basket' ? 0 : isFixture(name) ? 0.04 : 0.3;
    const range = [x - jitter, y - jitter, x + jitter, y + jitter].map(round).join(' ');
    const yawText = yaw > 0 ? ` (:yaw_rotation ((${-yaw} ${yaw})))` : '';
    regions.push(`(${name}_init_region (:target ${TABLE}) (:ranges ((${range})))${yawText})`);
    init.push(`(On ${name} ${TABLE}_${name}_init_region)`);
  }
  for (const [name, x, y] of scene.regions ?? [])
    regions.push(
      `(${name} (:target ${TABLE}) (:ranges ((${[x - 0.03, y - 0.03, x + 0.03, y + 0.03].map(round).join(' ')}))))`,
    );
  const fixtures = things.filter(([name]) => isFixture(name)).map(([name]) => name);
  for (const name of fixtures)
    for (const region of OWN_REGIONS[categoryOf(name)]) regions.push(`(${region} (:target ${name}))`);
  const objects = things.filter(([name]) => !isFixture(name)).map(([name]) => name);
  const declare = (names) => names.map((name) => `${name} - ${categoryOf(name)}`);
  const interest = [...objects, ...fixtures].filter((name) =>
    goals.some((atom) =>
      atom
        .split(' ')
        .slice(1)
        .some((arg) => arg.startsWith(name)),
    ),
  );
  const section = (head, lines) => `  (${head}\n${lines.map((line) => `    ${line}`).join('\n')}\n  )`;
  return `(define (problem nina_tabletop)
  (:domain tabletop)
  (:language ${instruction})
${section(':regions', regions)}
${section(':fixtures', [`${TABLE} - table`, ...declare(fixtures)])}
${section(':objects', declare(objects))}
${section(':obj_of_interest', interest)}
${section(':init', [...init, ...start.map((atom) => `(${atom})`)])}
  (:goal
    (And ${goals.map((atom) => `(${atom})`).join(' ')})
  )
)
`;
}

const suites = {
  'tabletop-spatial': spatial,
  'tabletop-object': object,
  'tabletop-goal': goal,
  'tabletop-10': long,
  'tabletop-90': many,
};
for (const [suite, scenes] of Object.entries(suites)) {
  const folder = path.join(OUT, suite);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  for (const scene of scenes)
    for (const task of scene.tasks) {
      const name = [...(scene.name ? [scene.name] : []), ...task[0].split(' ')].join('_');
      fs.writeFileSync(path.join(folder, `${name}.bddl`), bddl(scene, task));
    }
  console.log(`${suite}: ${fs.readdirSync(folder).length} tasks`);
}
