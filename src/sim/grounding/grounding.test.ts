import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fold, key, rng } from '../../random.ts';
import { PANDA, stateSize } from '../../robot/index.ts';
import { FINGER_TRAVEL_M, HOME_JOINTS } from '../arm.ts';
import { FIXTURES } from '../fixtures.ts';
import { OBJECTS } from '../objects.ts';
import { CAMERAS } from '../pictures.ts';
import { place } from '../placement.ts';
import { type Eye, openEye, project, VISIBLE_SAMPLES } from './eye.ts';
import { NAMES } from './names.ts';
import { type Phrase, phrasesOf } from './phrases.ts';
import { HELD_OUT, PARAPHRASES } from './phrasings.ts';
import { openPool, type Pool } from './pool.ts';
import { reach } from './reach.ts';
import { type GroundingScene, openSceneSampler, type SceneSampler, setUp } from './sampler.ts';

const SCENES = 300;
const sceneKey = (i: number) => fold(key(5), i);
let sampler: SceneSampler;
let pool: Pool;
let eye: Eye;
let scenes: GroundingScene[];
beforeAll(async () => {
  sampler = await openSceneSampler();
  pool = await openPool();
  eye = openEye(pool);
  scenes = Array.from({ length: SCENES }, (_, i) => sampler.sample(sceneKey(i)));
});
afterAll(() => {
  sampler[Symbol.dispose]();
  pool.physics[Symbol.dispose]();
});

const instructions = () => pool.suites.flat().map((task) => task.instruction);
const said = () => scenes.flatMap((scene) => scene.phrases);
const count = <T>(items: readonly T[], test: (item: T) => boolean) => items.filter(test).length;

test('a scene is the same to the bit whatever was sampled before, in any sampler', async () => {
  using other = await openSceneSampler();
  for (const i of [17, 3, 17, 4]) {
    const [again, first] = [other.sample(sceneKey(i)), scenes[i]];
    for (const name of CAMERAS) expect(Buffer.from(again.images[name].data).equals(first.images[name].data)).toBe(true);
    expect({ ...again, images: {} }).toEqual({ ...first, images: {} });
  }
  expect(scenes[3].state).not.toEqual(scenes[4].state);
});

describe('where things are', () => {
  test('a thing is visible where taking it away changes the picture round its centre, and only there', () => {
    const tally = { visible: 0, hidden: 0 };
    for (let i = 0; i < 150; i++) {
      const { world } = setUp(pool, sceneKey(i));
      const shots = eye.shoot(undefined);
      for (const { name } of world.scene.objects) {
        const pose = world.pose(name);
        const found = CAMERAS.map((camera) => shots[camera].sight(name, pose.position));
        world.setPose(name, { ...pose, position: [50, 0, 100] });
        pool.physics.pose();
        const without = eye.shoot(undefined);
        CAMERAS.forEach((camera, c) => {
          const { x, y, visible } = found[c];
          const [a, b] = [shots[camera].picture.data, without[camera].picture.data];
          const changed = new Set<number>();
          for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) changed.add(Math.floor(k / 3));
          const inside = x >= 0 && x < 1 && y >= 0 && y < 1;
          // A pixel has four samples: so many samples touch at least a quarter and at most all of so many pixels.
          if (visible) expect(changed.size).toBeGreaterThanOrEqual(VISIBLE_SAMPLES / 4);
          else if (inside) expect(changed.size).toBeLessThan(VISIBLE_SAMPLES);
          tally[visible ? 'visible' : 'hidden'] += inside ? 1 : 0;
          const nearest = Math.min(
            ...[...changed].map((p) => Math.hypot((p % 128) - 128 * x, Math.floor(p / 128) - 128 * y)),
          );
          // What is seen of a thing lies round its centre: at most its radius away, which fills the wrist's picture.
          if (visible) expect(nearest).toBeLessThan(camera === 'agentview' ? 12 : 64);
        });
        world.setPose(name, pose);
        pool.physics.pose();
      }
    }
    expect(tally.visible).toBeGreaterThan(100);
    expect(tally.hidden).toBeGreaterThan(3);
  });

  test('centres are projected by the camera that took the picture, knocked or not', () => {
    for (const { objects, cameras } of scenes)
      for (const name of CAMERAS)
        for (const { position, views } of objects) {
          const { x, y, visible } = views[name];
          expect({ x, y }).toEqual(project(position, cameras[name]));
          if (visible) expect(Math.min(x, y, 1 - x, 1 - y)).toBeGreaterThanOrEqual(0);
        }
    // Straight ahead is the middle; a metre to the right at a metre's distance and 90 degrees is the right edge.
    const ahead = { position: [0, 0, 0], rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], fovyDeg: 90 } as const;
    expect(project([0, 0, -2], ahead)).toEqual({ x: 0.5, y: 0.5 });
    expect(project([1, 0, -1], ahead).x).toBeCloseTo(1, 12);
    expect(project([0, 1, -1], ahead).y).toBeCloseTo(0, 12);
    expect(project([0, 0, 1], ahead)).toEqual({ x: -1, y: -1 });
  });
});

describe('what scenes are like', () => {
  test('every category occurs, is seen from the front mostly and from the wrist often', () => {
    const parts = Object.entries(FIXTURES).flatMap(([category, kind]) =>
      Object.values(kind.parts).map(({ word }) => `${category}_${word}`),
    );
    const all = scenes.flatMap((scene) => scene.objects);
    for (const category of [...Object.keys(OBJECTS), ...Object.keys(FIXTURES), ...parts]) {
      const own = all.filter((object) => object.category === category);
      expect(own.length, category).toBeGreaterThan(SCENES / 30);
      expect(count(own, ({ views }) => views.agentview.visible) / own.length, category).toBeGreaterThan(0.6);
      expect(
        count(own, ({ views }) => views.eye_in_hand.visible),
        category,
      ).toBeGreaterThan(0);
    }
  });

  test('half are of the suites; things on the table do not overlap; yaws, hands and heights spread', () => {
    let ofSuites = 0;
    let held = 0;
    const aloft: number[] = [];
    for (let i = 0; i < SCENES; i++) {
      const { world, problem, task, held: name } = setUp(pool, sceneKey(i));
      ofSuites += task ? 1 : 0;
      held += name ? 1 : 0;
      const carried = new Set(
        problem.init.filter(({ args: [, where] }) => !where?.startsWith('main_table')).map(({ args }) => args[0]),
      );
      const lying = world.scene.objects.filter((object) => object.name !== name && !carried.has(object.name));
      lying.forEach((a, j) => {
        for (const b of lying.slice(j + 1)) {
          const [p, q] = [world.pose(a.name).position, world.pose(b.name).position];
          expect(Math.hypot(p[0] - q[0], p[1] - q[1])).toBeGreaterThan(a.kind.radiusM + b.kind.radiusM);
        }
      });
      aloft.push(...world.scene.objects.map((object) => world.pose(object.name).position[2] - object.kind.standM));
    }
    expect(ofSuites / SCENES).toBeGreaterThan(0.4);
    expect(ofSuites / SCENES).toBeLessThan(0.6);
    expect(held / SCENES).toBeGreaterThan(0.1);
    expect(held / SCENES).toBeLessThan(0.35);
    // Nothing is below the table; some things lie on others, some are carried.
    expect(Math.min(...aloft)).toBeGreaterThan(-0.001);
    expect(count(aloft, (z) => z > 0.004) / aloft.length).toBeGreaterThan(0.08);
    const states = scenes.map(({ state }) => state);
    for (const state of states) {
      expect(state).toHaveLength(stateSize(PANDA));
      expect([...state].every(Number.isFinite)).toBe(true);
    }
    const range = (i: number) => [Math.min(...states.map((s) => s[i])), Math.max(...states.map((s) => s[i]))];
    expect(range(0)[1] - range(0)[0]).toBeGreaterThan(0.35);
    expect(range(1)[1] - range(1)[0]).toBeGreaterThan(0.6);
    expect(range(2)[0]).toBeGreaterThan(0);
    expect(range(9)[1]).toBeLessThanOrEqual(Math.fround(FINGER_TRAVEL_M));
    expect(count(states, (s) => s[9] < 0.039) / SCENES).toBeGreaterThan(0.15);
    expect(count(states, (s) => s[9] > 0.039) / SCENES).toBeGreaterThan(0.4);
  });

  test('the arm reaches what it is asked to', () => {
    const { world } = setUp(pool, sceneKey(0));
    const draw = rng(key(2));
    for (let i = 0; i < 30; i++) {
      const target = [draw.uniform(-0.2, 0.18), draw.uniform(-0.3, 0.3), draw.uniform(0.03, 0.25)] as const;
      expect(reach(pool.physics, target, draw.uniform(-0.8, 0.8), HOME_JOINTS)).toBe(true);
      const { eefPosition } = world.observe();
      // The search's own tolerance.
      expect(Math.hypot(...eefPosition.map((x, k) => x - target[k]))).toBeLessThan(2e-3);
    }
  });
});

describe('phrases', () => {
  /** Whether the text calls the category by one of its names; a stove's knob also by the stove. */
  const calls = (text: string, category: string) =>
    [...NAMES[category]!, ...(category === 'flat_stove_knob' ? ['stove'] : [])].some((name) => text.includes(name));

  test('name all they speak of, each thing of the scene mostly by some phrase', () => {
    let named = 0;
    for (const { phrases, objects } of scenes) {
      for (const { text, objects: spoken } of phrases) {
        expect(spoken.length).toBeGreaterThan(0);
        for (const i of spoken) {
          expect(calls(text, objects[i].category), `${text}: ${objects[i].category}`).toBe(true);
        }
        expect(text).toBe(text.trim());
        expect(text.split(' ').length).toBeLessThanOrEqual(22);
      }
      named += objects.filter((_, i) => phrases.some((phrase) => phrase.objects[0] === i)).length / objects.length;
    }
    expect(named / SCENES).toBeGreaterThan(0.95);
  });

  test('a bare name stands for one thing; left and right are those of the front picture', () => {
    let bare = 0;
    let sides = 0;
    for (const { phrases, objects } of scenes) {
      const called = (noun: string) => objects.filter(({ category }) => NAMES[category]!.includes(noun));
      for (const {
        text,
        objects: [first],
      } of phrases) {
        const noun = text.replace(/^(the|a) /, '');
        if (called(noun).length > 0) {
          expect(called(noun)).toEqual([objects[first]]);
          bare++;
        }
        const side = /^(?:the |a )?(left|right) (.*)$/.exec(noun);
        if (side && called(side[2]).length === 2) {
          const other = called(side[2]).find((object) => object !== objects[first])!;
          const [a, b] = [objects[first], other].map(({ views }) => views.agentview.x);
          expect(a < b ? 'left' : 'right').toBe(side[1]);
          sides++;
        }
        const relation = /^(?:the |a )?(.*?) (?:to the )?(left|right) of the (.*)$/.exec(noun);
        if (relation && called(relation[1]).length === 1 && called(relation[3]).length === 1) {
          const [dx] = [objects[first].position[1] - called(relation[3])[0].position[1]];
          expect(dx < 0 ? 'left' : 'right').toBe(relation[2]);
          sides++;
        }
      }
    }
    expect(bare).toBeGreaterThan(100);
    expect(sides).toBeGreaterThan(10);
  });

  test("every suite's instruction is said of its scene, with what its goal speaks of", () => {
    const draw = rng(key(9));
    for (const task of pool.suites.flat()) {
      const world = pool.world(task.problem);
      place(world, task.problem, key(1));
      pool.physics.pose();
      const phrases = phrasesOf({ world, problem: task.problem, held: undefined, task }, draw);
      const own = phrases.find(({ text }) => text === task.instruction) as Phrase;
      const categories = own.objects.map((i) => world.observe().entities[i].category);
      for (const category of categories) expect(calls(task.instruction, category), task.instruction).toBe(true);
      const [[subject]] = task.problem.goal.map(({ args }) => args);
      const taken = world.scene.objects.find(({ name }) => name === subject);
      if (taken) expect(categories[0]).toBe(taken.category);
    }
  });

  test('the forms of the suites are all said: verbs and joints of their sentences', () => {
    const texts = said().map(({ text }) => text);
    for (const form of [
      /^pick up the .* and place it (in|on|on top of) the /,
      /^put the \S+( \S+)? (in|on) the \S+$/,
      /^put the .* on top of the cabinet$/,
      /^put the .* to the (left|right) of the /,
      /^(open|close) the (top|bottom) drawer/,
      /^turn (on|off) the (flat )?stove$/,
      /^turn (on|off) the .*stove.* and put the .* on it$/,
      /^open the .* drawer.* and put the .* (in it|inside)$/,
      /^put the .* in the .* drawer.* and close it$/,
      /^take the .* off the .* and put it /,
      /^put both the .* and the .* in the basket$/,
      /^put the .* and the .* in the basket$/,
      /^put the .* (in|on) the .* and put the .* (in|on)/,
      /^the .* between the .* and the /,
      /next to the /,
      /at the center of the table/,
    ])
      expect(
        count(texts, (text) => form.test(text)),
        String(form),
      ).toBeGreaterThan(0);
  });

  test('held-out phrasings are new sentences about the same things', () => {
    const heard = new Set([...said().map(({ text }) => text), ...instructions()]);
    for (const one of instructions()) for (const phrasing of PARAPHRASES) heard.add(phrasing(one));
    const nouns = Object.values(NAMES).flat();
    for (const one of instructions()) {
      const sentences = HELD_OUT.map((phrasing) => phrasing(one));
      expect(new Set(sentences).size).toBe(HELD_OUT.length);
      for (const sentence of sentences) {
        expect(heard.has(sentence), sentence).toBe(false);
        for (const noun of nouns) expect(sentence.includes(noun), `${one}: ${sentence}`).toBe(one.includes(noun));
      }
    }
    // Whatever is said of a scene, no phrasing of pretraining is one that is held out.
    for (const { text } of said())
      expect(/\b(fetch|could you|your next job|belongs|i would like)\b/.test(text), text).toBe(false);
  });

  test('phrasings change verbs and nothing else', () => {
    const text = 'pick up the black bowl between the plate and the ramekin and place it on the plate';
    expect(PARAPHRASES.map((phrasing) => phrasing(text)).slice(0, 2)).toEqual([
      'take the black bowl between the plate and the ramekin and put it on the plate',
      'grab the black bowl between the plate and the ramekin and set it on the plate',
    ]);
    expect(HELD_OUT.map((phrasing) => phrasing('turn off the stove and put the moka pot on the plate'))).toEqual([
      'switch off the stove and leave the moka pot on the plate',
      'could you turn the stove off and put the moka pot on the plate for me',
      'your next job is to turn off the stove and lay the moka pot on the plate',
      'i would like you to turn off the stove and put the moka pot on the plate now',
    ]);
    expect(HELD_OUT[3]('pick up the milk and place it in the basket')).toBe('the milk belongs in the basket');
  });
});
