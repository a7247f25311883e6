// tabletop-90: ten tasks in each of nine scenes.
import {
  BREAKFAST,
  cabinetScene,
  goalScene,
  groceries,
  inBasket,
  mugScene,
  PANTRY,
  rackScene,
  SIDES,
  say,
  stoveScene,
  TABLE,
} from './scenes.mjs';

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

export const many = [
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
    things: goalScene,
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
