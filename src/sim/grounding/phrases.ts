/**
 * What can be said of a scene, each phrase with the things it speaks of: names alone, relations, and instructions in the
 * style of the suites. A phrase is only said where it is true and names each thing without doubt.
 *
 * `objects` are indices into the scene's things, in the order in which they are acted on: what to take, then where to put
 * it, then what is next. A thing that only helps to find another ("next to the ramekin") is not among them.
 */
import { hypot } from '../../math.ts';
import type { Rng } from '../../random.ts';
import type { Problem } from '../bddl/index.ts';
import { partOf } from '../predicates.ts';
import type { Task } from '../task.ts';
import type { Vec3 } from '../types.ts';
import type { World } from '../world.ts';
import { NAMES, PREPOSITIONS } from './names.ts';
import { PARAPHRASES } from './phrasings.ts';

export interface Phrase {
  text: string;
  objects: readonly number[];
}

/** What is to be spoken of. */
export interface Said {
  world: World;
  problem: Problem;
  /** Name of the object in the gripper. */
  held: string | undefined;
  /** Whose instruction may be said, in a scene of a suite. */
  task: Task | undefined;
}

/** Instructions said of a scene, beside a name for each thing. */
const INSTRUCTIONS = 8;
const NAMING = ['', 'the ', 'the ', 'a ', 'find the ', 'where is the ', 'locate the ', 'look at the ', 'show me the '];
/** Of phrases in the suites' style, the share that is said in other words. */
const REPHRASED = 0.4;

/** Of a thing, by its index. */
interface Thing {
  name: string;
  category: string;
  position: Vec3;
  movable: boolean;
  /** Index of what it is in or on; -1: of the table, or held. */
  carrier: number;
}

export function phrasesOf({ world, problem, held, task }: Said, random: Rng): Phrase[] {
  const things = thingsOf(world, problem, held);
  const refer = speaker(things, held, random);
  const named = things.flatMap((_, i): Phrase[] => {
    const noun = refer(i);
    return noun === undefined ? [] : [{ text: random.pick(NAMING) + noun, objects: [i] }];
  });
  const say = (): Phrase | undefined => {
    const phrase = random.pick(FORMS)({ things, refer, random });
    if (!phrase || random.uniform() >= REPHRASED) return phrase;
    return { ...phrase, text: random.pick(PARAPHRASES)(phrase.text) };
  };
  const instructions = Array.from({ length: INSTRUCTIONS }, say).filter((phrase) => phrase !== undefined);
  if (!task) return [...named, ...instructions];
  const own: Phrase = { text: task.instruction, objects: goalThings(world, things, task) };
  return [...named, ...instructions, own, { ...own, text: random.pick(PARAPHRASES)(own.text) }];
}

function thingsOf(world: World, { init }: Problem, held: string | undefined): Thing[] {
  const entities = world.observe().entities;
  const index = new Map(entities.map(({ name }, i) => [name, i]));
  return entities.map(({ name, category, position }) => {
    const place = init.find(({ predicate, args }) => ['in', 'on'].includes(predicate) && args[0] === name)?.args[1];
    const carrier = place === undefined || name === held ? undefined : (world.scene.regions.get(place)?.body ?? place);
    return {
      ...{ name, category, position },
      movable: world.scene.objects.some((object) => object.name === name),
      carrier: index.get(carrier ?? '') ?? -1,
    };
  });
}

/** What a task's goal speaks of, atom by atom. */
function goalThings(world: World, things: readonly Thing[], { problem }: Task): number[] {
  const index = (name: string) => things.findIndex((thing) => thing.name === name);
  return problem.goal.flatMap(({ predicate, args }) => {
    const [subject, place] = args as [string, string | undefined];
    if (place === undefined) return [index(partOf(world, subject, predicate).name)];
    const body = world.scene.regions.get(place)?.body ?? place;
    return body === world.scene.table ? [index(subject)] : [index(subject), index(body)];
  });
}

/** Answers with a noun that stands for the thing of this index and no other, or undefined where there is none. */
type Refer = (i: number) => string | undefined;

function speaker(things: readonly Thing[], held: string | undefined, random: Rng): Refer {
  const namesOf = (i: number) => NAMES[things[i].category]!;
  const called = (noun: string) => things.flatMap((_, i) => (namesOf(i).includes(noun) ? [i] : []));
  const plain = (i: number): string | undefined => {
    const unique = namesOf(i).filter((noun) => called(noun).length === 1);
    return unique.length === 0 ? undefined : random.uniform() < 0.6 ? unique[0] : random.pick(unique);
  };
  const distance = (i: number, j: number) =>
    hypot(things[i].position[0] - things[j].position[0], things[i].position[1] - things[j].position[1]);
  /** Nouns that say where it is; each tells it from the others of its name. */
  const placed = (i: number): string[] => {
    const noun = random.pick(namesOf(i));
    const others = called(noun).filter((k) => k !== i);
    const { carrier, position, name, category } = things[i];
    const out: string[] = [];
    if (name === held) out.push(`${noun} in the gripper`, `${noun} in the hand`);
    if (carrier >= 0 && others.every((k) => things[k].carrier !== carrier)) {
      const under = plain(carrier);
      const preposition = PREPOSITIONS[things[carrier].category] ?? 'on';
      const words = preposition === 'on top of' && random.uniform() < 0.5 ? 'on' : preposition;
      if (under) out.push(`${noun} ${words} the ${under}`);
    }
    if (category.includes('cabinet_') || category.includes('stove_') || name === held) return out;
    if (others.length === 1 && Math.abs(position[1] - things[others[0]].position[1]) > 0.08) {
      // The front camera looks back at the robot: its right is the world's +y.
      out.push(`${position[1] < things[others[0]].position[1] ? 'left' : 'right'} ${noun}`);
    }
    const centred = (k: number) => hypot(things[k].position[0], things[k].position[1]);
    if (centred(i) < 0.06 && others.every((k) => centred(k) > 0.12)) out.push(`${noun} at the center of the table`);
    if (carrier >= 0) return out;
    const rest = things.flatMap((thing, k) =>
      k !== i && thing.carrier < 0 && !others.includes(k) && thing.name !== held && !isPart(thing) ? [k] : [],
    );
    for (const j of rest) {
      const mark = plain(j);
      if (mark === undefined) continue;
      if (distance(i, j) < 0.16 && others.every((k) => distance(k, j) > 0.24)) out.push(`${noun} next to the ${mark}`);
      const dx = position[0] - things[j].position[0];
      const dy = position[1] - things[j].position[1];
      if (others.length > 0) continue;
      if (Math.abs(dy) > 0.06 && Math.abs(dy) > 1.5 * Math.abs(dx))
        out.push(`${noun} ${random.uniform() < 0.5 ? 'to the ' : ''}${dy < 0 ? 'left' : 'right'} of the ${mark}`);
      if (Math.abs(dx) > 0.06 && Math.abs(dx) > 1.5 * Math.abs(dy))
        out.push(`${noun} ${dx > 0 ? 'in front of' : 'behind'} the ${mark}`);
    }
    for (const j of rest)
      for (const k of rest.filter((one) => one > j)) {
        const [a, b] = [plain(j), plain(k)];
        const off = (m: number) =>
          hypot(...[0, 1].map((c) => things[m].position[c] - (things[j].position[c] + things[k].position[c]) / 2));
        const apart = distance(j, k);
        if (a && b && apart > 0.15 && apart < 0.45 && off(i) < 0.05 && others.every((m) => off(m) > 0.15))
          out.push(`${noun} between the ${a} and the ${b}`);
      }
    return out;
  };
  return (i) => {
    const name = plain(i);
    if (name !== undefined && random.uniform() < 0.75) return name;
    const somewhere = placed(i);
    return somewhere.length > 0 ? random.pick(somewhere) : name;
  };
}

const isPart = ({ category }: Thing) => category.includes('cabinet_') || category.includes('stove_');

interface Speech {
  things: readonly Thing[];
  refer: Refer;
  random: Rng;
}

type Form = (speech: Speech) => Phrase | undefined;

/** Indices of what satisfies the test. */
const those = (things: readonly Thing[], test: (thing: Thing) => boolean) =>
  things.flatMap((thing, i) => (test(thing) ? [i] : []));

/** One of them, and how it is called; undefined where there is none. */
function choose({ refer, random }: Speech, from: readonly number[]): { index: number; the: string } | undefined {
  if (from.length === 0) return undefined;
  const index = random.pick(from);
  const noun = refer(index);
  return noun === undefined ? undefined : { index, the: `the ${noun}` };
}

/** Something to take, and somewhere to put it. */
function move(speech: Speech, test: (thing: Thing) => boolean = () => true) {
  const { things } = speech;
  const object = choose(
    speech,
    those(things, ({ movable }) => movable),
  );
  const place = choose(
    speech,
    those(things, (thing) => PREPOSITIONS[thing.category] !== undefined && test(thing)),
  );
  if (!object || !place || object.index === place.index || things[place.index].carrier === object.index)
    return undefined;
  const preposition = PREPOSITIONS[things[place.index].category]!;
  return { object, place, where: `${preposition} ${place.the}`, objects: [object.index, place.index] };
}

const pickAndPlace: Form = (speech) => {
  const one = move(speech);
  return one && { text: `pick up ${one.object.the} and place it ${one.where}`, objects: one.objects };
};

const put: Form = (speech) => {
  const one = move(speech);
  return one && { text: `put ${one.object.the} ${one.where}`, objects: one.objects };
};

const takeOff: Form = (speech) => {
  const { things } = speech;
  const one = move(speech);
  const from = one && things[one.object.index].carrier;
  if (from === undefined || from < 0 || from === one!.place.index) return undefined;
  if (PREPOSITIONS[things[from].category] === 'in') return undefined;
  const under = choose(speech, [from]);
  return under && { text: `take ${one!.object.the} off ${under.the} and put it ${one!.where}`, objects: one!.objects };
};

const pick: Form = (speech) => {
  const object = choose(
    speech,
    those(speech.things, ({ movable }) => movable),
  );
  return object && { text: `pick up ${object.the}`, objects: [object.index] };
};

const beside: Form = (speech) => {
  const { things, random } = speech;
  const object = choose(
    speech,
    those(things, ({ movable }) => movable),
  );
  const mark = choose(
    speech,
    those(things, (thing) => !isPart(thing)),
  );
  if (!object || !mark || object.index === mark.index) return undefined;
  return {
    text: `put ${object.the} to the ${random.pick(['left', 'right'])} of ${mark.the}`,
    objects: [object.index, mark.index],
  };
};

const drawers = ({ things }: Speech) => those(things, ({ category }) => category.endsWith('_drawer'));

const drawer: Form = (speech) => {
  const part = choose(speech, drawers(speech));
  return part && { text: `${speech.random.pick(['open', 'close'])} ${part.the}`, objects: [part.index] };
};

/** What turns the stove on is its knob. */
function stove(speech: Speech): { the: string; index: number; knob: number } | undefined {
  const body = choose(
    speech,
    those(speech.things, ({ category }) => category === 'flat_stove'),
  );
  return body && { ...body, knob: speech.things.findIndex(({ category }) => category === 'flat_stove_knob') };
}

const turnStove: Form = (speech) => {
  const one = stove(speech);
  return one && { text: `turn ${speech.random.pick(['on', 'off'])} ${one.the}`, objects: [one.knob] };
};

const stoveThenPut: Form = (speech) => {
  const one = stove(speech);
  const object = choose(
    speech,
    those(speech.things, ({ movable }) => movable),
  );
  if (!one || !object) return undefined;
  const text = `turn ${speech.random.pick(['on', 'off'])} ${one.the} and put ${object.the} on it`;
  return { text, objects: [one.knob, object.index, one.index] };
};

const drawerThenPut: Form = (speech) => {
  const { things, random } = speech;
  const part = choose(speech, drawers(speech));
  const object = choose(
    speech,
    those(things, ({ movable }) => movable),
  );
  if (!part || !object) return undefined;
  return random.uniform() < 0.5
    ? {
        text: `open ${part.the} and put ${object.the} ${random.pick(['in it', 'inside'])}`,
        objects: [part.index, object.index, part.index],
      }
    : { text: `put ${object.the} in ${part.the} and close it`, objects: [object.index, part.index, part.index] };
};

const both: Form = (speech) => {
  const [a, b] = [
    move(speech, ({ category }) => category === 'basket'),
    move(speech, ({ category }) => category === 'basket'),
  ];
  if (!a || !b || a.object.index === b.object.index) return undefined;
  const text = `put ${speech.random.pick(['both ', ''])}${a.object.the} and ${b.object.the} ${a.where}`;
  return { text, objects: [...a.objects, ...b.objects] };
};

const twice: Form = (speech) => {
  const [a, b] = [move(speech), move(speech)];
  if (!a || !b || a.object.index === b.object.index) return undefined;
  const again = speech.random.pick(['put ', '']);
  return {
    text: `put ${a.object.the} ${a.where} and ${again}${b.object.the} ${b.where}`,
    objects: [...a.objects, ...b.objects],
  };
};

/** Each as often as it stands here; simple ones are most of what the suites say. */
const FORMS: readonly Form[] = [
  ...[pickAndPlace, pickAndPlace, pickAndPlace, pickAndPlace, put, put, put, put, pick, pick],
  ...[beside, drawer, drawer, turnStove, turnStove, takeOff, takeOff, stoveThenPut, drawerThenPut, both, twice],
];
