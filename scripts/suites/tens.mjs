// The four suites of ten tasks.
import {
  BREAKFAST,
  cabinetScene,
  goalScene,
  groceries,
  inBasket,
  mugScene,
  PANTRY,
  rackScene,
  say,
  stoveScene,
} from './scenes.mjs';

/** tabletop-object: which thing goes in the basket, five instructions over each of two scenes. */
export const object = [PANTRY, BREAKFAST].map((names) => ({
  things: groceries(names),
  tasks: names.map((name) => [`pick up the ${say(name)} and place it in the basket`, [inBasket(name)]]),
}));

/** tabletop-spatial: which of two equal bowls, told by where it is. Where each may be: */
const BOWL_SPOTS = {
  'between the plate and the ramekin': [-0.025, 0.13],
  'next to the ramekin': [-0.14, 0.04],
  'at the center of the table': [-0.01, 0.01],
  'on the cookie box': 'cookies_1',
  'in the top drawer of the wooden cabinet': 'wooden_cabinet_1_top_region',
  'on the ramekin': 'ramekin_1',
  'next to the cookie box': [-0.025, -0.11],
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
export const spatial = Object.entries(BOWL_SPOTS).map(([relation, spot], i) => {
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
export const goal = [
  {
    things: goalScene,
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

/** tabletop-10: two things to do, one after the other. */
export const long = [
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
