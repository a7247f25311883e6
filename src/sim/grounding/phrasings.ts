/**
 * The same thing said in other words: each phrasing turns a sentence of the suites' style into another. `PARAPHRASES` are
 * what pretraining hears; `HELD_OUT` it never hears, and no demonstration is recorded with one, so that an evaluation can
 * ask whether a policy understands a new sentence.
 */

export type Phrasing = (sentence: string) => string;

/** Words for taking, for putting what is held ("place it"), for putting, and for acting on a drawer and the stove. */
interface Verbs {
  pick: string;
  place: string;
  put: string;
  /** Each takes the thing that is acted on. */
  open: (thing: string) => string;
  close: (thing: string) => string;
  on: (thing: string) => string;
  off: (thing: string) => string;
  /** Taking a thing off another. */
  take: (thing: string, from: string) => string;
}

const USUAL: Verbs = {
  pick: 'pick up',
  place: 'place',
  put: 'put',
  open: (thing) => `open ${thing}`,
  close: (thing) => `close ${thing}`,
  on: (thing) => `turn on ${thing}`,
  off: (thing) => `turn off ${thing}`,
  take: (thing, from) => `take ${thing} off ${from}`,
};

/** A sentence's clauses, joined by 'and' before a verb, each with its own verb changed. */
function withVerbs(verbs: Partial<Verbs>, frame: (sentence: string) => string = (sentence) => sentence): Phrasing {
  const say = { ...USUAL, ...verbs };
  return (sentence) =>
    frame(
      sentence
        .split(/ and (?=(?:place|put|open|close|turn) )/)
        .map((clause) =>
          clause
            .replace(/^pick up /, `${say.pick} `)
            .replace(/^place /, `${say.place} `)
            .replace(/^put /, `${say.put} `)
            .replace(/^open (.*)$/, (_, thing) => say.open(thing))
            .replace(/^close (.*)$/, (_, thing) => say.close(thing))
            .replace(/^turn on (.*)$/, (_, thing) => say.on(thing))
            .replace(/^turn it on$/, say.on('it'))
            .replace(/^turn off (.*)$/, (_, thing) => say.off(thing))
            .replace(/^turn it off$/, say.off('it'))
            .replace(/^take (.*) off (.*)$/, (_, thing, from) => say.take(thing, from)),
        )
        .join(' and '),
    );
}

const turned = { on: (thing: string) => `turn ${thing} on`, off: (thing: string) => `turn ${thing} off` };

export const PARAPHRASES: readonly Phrasing[] = [
  withVerbs({ pick: 'take', place: 'put', put: 'place', ...turned, close: (thing) => `shut ${thing}` }),
  withVerbs({ pick: 'grab', place: 'set', put: 'set', open: (thing) => `pull ${thing} open` }),
  withVerbs({ pick: 'lift', place: 'put', put: 'move', close: (thing) => `push ${thing} shut`, ...turned }),
  withVerbs({ take: (thing, from) => `lift ${thing} from ${from}` }, (sentence) => `please ${sentence}`),
  withVerbs({ pick: 'get', place: 'drop', put: 'bring', open: (thing) => `slide ${thing} open` }),
  withVerbs({}, (sentence) => `you should ${sentence}`),
];

export const HELD_OUT: readonly Phrasing[] = [
  withVerbs({
    ...{ pick: 'fetch', place: 'leave', put: 'leave' },
    open: (thing) => `pull out ${thing}`,
    close: (thing) => `push in ${thing}`,
    on: (thing) => `switch on ${thing}`,
    off: (thing) => `switch off ${thing}`,
    take: (thing, from) => `remove ${thing} from ${from}`,
  }),
  withVerbs({ pick: 'grab', place: 'move', ...turned }, (sentence) => `could you ${sentence} for me`),
  withVerbs({ pick: 'take hold of', place: 'lower', put: 'lay' }, (sentence) => `your next job is to ${sentence}`),
  (sentence) => {
    const simple = /^(?:pick up|put) (.*?)(?: and place it)? ((?:in|on|on top of) the .*)$/.exec(sentence);
    const compound = / (?:and|it)\b/.test(simple?.[1] ?? 'and') || / (?:and|it)\b/.test(simple?.[2] ?? 'and');
    return simple && !compound ? `${simple[1]} belongs ${simple[2]}` : `i would like you to ${sentence} now`;
  },
];
