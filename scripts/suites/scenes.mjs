// Scenes that several tasks share, and the notation of scenes and tasks.
//
// A scene lists things as [name, x, y] (metres on the table; the category is the name without its number) or as
// [name, place] (a region or another thing). A task is [instruction, goal atoms, changes to the scene]; all tasks of a
// scene start alike unless they change it.

export const TABLE = 'main_table';

export const groceries = (names) => [
  ['basket_1', -0.02, 0.225],
  ...names.map((name, i) => [
    `${name}_1`,
    [-0.11, 0.07, -0.11, 0.07, -0.02][i],
    [-0.215, -0.215, -0.09, -0.09, 0.025][i],
  ]),
];
export const inBasket = (name) => `In ${name}_1 basket_1_contain_region`;
export const say = (name) => name.replaceAll('_', ' ');

export const PANTRY = ['alphabet_soup', 'cream_cheese', 'ketchup', 'milk', 'butter'];
export const BREAKFAST = ['tomato_sauce', 'chocolate_pudding', 'bbq_sauce', 'orange_juice', 'salad_dressing'];

/** The kitchen of tabletop-goal. */
export const goalScene = [
  ['wooden_cabinet_1', 0, -0.34],
  ['flat_stove_1', 0.04, 0.3],
  ['plate_1', 0.05, 0.09],
  ['wine_rack_1', 0.215, -0.04],
  ['black_bowl_1', -0.12, 0.09],
  ['cream_cheese_1', -0.17, 0.2],
  ['wine_bottle_1', 0.18, 0.13],
];

// Nothing stands under an open drawer or its handle: y > 0.01 once a drawer is out.
export const cabinetScene = [
  ['wooden_cabinet_1', 0, -0.34],
  ['plate_1', 0.08, 0.12],
  ['black_bowl_1', -0.12, 0.1],
  ['cream_cheese_1', -0.14, 0.22],
  ['butter_1', 0.05, 0.26],
];
export const stoveScene = [
  ['flat_stove_1', 0.03, -0.28],
  ['plate_1', 0.1, 0.18],
  ['moka_pot_1', -0.13, -0.06],
  ['black_bowl_1', -0.08, 0.12],
  ['white_mug_1', 0.08, -0.02],
];
export const mugScene = [
  ['plate_1', 0.04, -0.22],
  ['plate_2', 0.04, 0.22],
  ['white_mug_1', -0.13, -0.12],
  ['red_mug_1', 0.02, 0],
  ['chocolate_pudding_1', -0.15, 0.12],
];
export const rackScene = [
  ['wine_rack_1', 0.14, -0.26],
  ['plate_1', 0.05, 0.22],
  ['wine_bottle_1', -0.13, -0.18],
  ['black_book_1', -0.12, 0],
  ['white_bowl_1', 0.08, 0],
  ['tomato_sauce_1', -0.14, 0.15],
];
export const SIDES = [
  ['plate_right_region', 0.04, -0.06],
  ['plate_left_region', 0.04, 0.06],
];
