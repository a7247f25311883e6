/**
 * What the encoder knows of held-out scenes: how well it points at named things (cells, pixels, and centimetres on the plane of the
 * thing's height, which an instruction's reader does not have), and how well its mean token tells positions.
 */

import type { Engine } from '../engine/index.ts';
import { hypot } from '../math.ts';
import { median } from '../statistics/index.ts';
import type { NDArray } from '../tensor/index.ts';
import { freeze } from '../tensor/index.ts';
import { type GroundingShape, inputsOf } from './arrays.ts';
import type { SceneSet, Truth } from './batch-worker.ts';
import type { Batches } from './batches.ts';
import { HAND } from './examples.ts';
import { answers, type Trained } from './model.ts';
import { measureNames, type Pointed } from './pointing.ts';
import { READOUT_SIZE, ROLES, readHand, readPosition, rolesOf } from './readout.ts';

/** Scenes at once. */
export const EVALUATED_TOGETHER = 10;

/** Errors, centimetres or pixels. */
export interface Errors {
  readonly n: number;
  readonly median: number;
  readonly mean: number;
}

export interface Within extends Errors {
  /** Shares in [0, 1]. */
  readonly within_1cm: number;
  readonly within_2cm: number;
}

export interface ViewReport {
  /** Share of things in view whose cell is found, and of names without a thing in view that are known to have none. */
  readonly cell_accuracy: number;
  readonly absent_accuracy: number;
  /** Of the encoder's picture. */
  readonly pixels: Errors;
  /** On the plane of the thing's height. */
  readonly cm: Within;
}

export interface ReadoutReport {
  /** Distances in space. */
  readonly target_cm: Within;
  readonly place_cm: Within;
  readonly hand_cm: Within;
}

export interface GroundingReport {
  readonly scenes: number;
  readonly views: Readonly<Record<string, ViewReport>>;
  /** By phrasing (trained on, or not) and by what is read. */
  readonly readout: Readonly<Record<'seen' | 'held_out', Readonly<Record<'mean' | 'flow', ReadoutReport>>>>;
}

/** What the model said of held-out scenes: results of the program, by name. */
export interface Judged {
  readonly truths: readonly Truth[];
  readonly said: Readonly<Record<'names' | 'mean' | 'flow', Float32Array>>;
}

export interface Evaluation extends Disposable {
  /** @param scenes a multiple of EVALUATED_TOGETHER */
  measure(scenes: number): Promise<GroundingReport>;
  judge(set: SceneSet, first: number): Promise<Judged>;
}

/** Of weights that go on changing: they are read from their arrays whenever it measures. */
export async function openEvaluation(
  shape: GroundingShape,
  weights: Trained<NDArray>,
  batches: Batches,
  engine: Engine,
): Promise<Evaluation> {
  const { names, mean, flow } = answers(shape, freeze(weights), inputsOf(shape, EVALUATED_TOGETHER));
  const program = await engine.compile({ names, mean, flow });
  const judge = async (set: SceneSet, first: number): Promise<Judged> => {
    const request = { set, first, rows: [EVALUATED_TOGETHER] };
    const { parts, truths } = await batches.take(request);
    const said = await program.run(
      Object.fromEntries(Object.keys(program.signature.inputs).map((name) => [name, parts[0][name]])),
    );
    return { truths, said: said as Judged['said'] };
  };
  const all = async (set: SceneSet, scenes: number) => {
    const out: Judged[] = [];
    for (let first = 0; first < scenes; first += EVALUATED_TOGETHER) out.push(await judge(set, first));
    return out;
  };
  return {
    judge,
    async measure(scenes) {
      const seen = await all('seen', scenes);
      return summarise(shape, seen, await all('held-out', scenes));
    },
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

export function summarise(shape: GroundingShape, seen: readonly Judged[], heldOut: readonly Judged[]): GroundingReport {
  const pointed = seen
    .flatMap(({ truths, said }) => measureNames(shape, truths, said.names))
    .filter(({ name }) => name !== HAND);
  const { views } = shape.encoder;
  return {
    scenes: seen.reduce((n, { truths }) => n + truths.length, 0),
    views: Object.fromEntries(views.map((view) => [view, viewReport(pointed.filter((one) => one.view === view))])),
    readout: { seen: readouts(shape, seen), held_out: readouts(shape, heldOut) },
  };
}

function viewReport(pointed: readonly Pointed[]): ViewReport {
  const there = pointed.filter(({ visible }) => visible);
  const share = (of: readonly Pointed[]) => of.filter(({ right }) => right).length / of.length;
  return {
    cell_accuracy: share(there),
    absent_accuracy: share(pointed.filter(({ visible }) => !visible)),
    pixels: errors(there.map(({ pixels }) => pixels)),
    cm: within(there.map(({ cm }) => cm)),
  };
}

const readouts = (shape: GroundingShape, judged: readonly Judged[]) => ({
  mean: readoutReport(shape, judged, 'mean'),
  flow: readoutReport(shape, judged, 'flow'),
});

function readoutReport(
  { phrases: Q }: GroundingShape,
  judged: readonly Judged[],
  from: 'mean' | 'flow',
): ReadoutReport {
  const cm: Record<'target' | 'place' | 'hand', number[]> = { target: [], place: [], hand: [] };
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => 100 * hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  for (const { truths, said } of judged)
    truths.forEach(({ phrases, scene: { objects, state } }, row) => {
      phrases.forEach((phrase, q) => {
        const at = (row * Q + q) * READOUT_SIZE;
        const roles = rolesOf(phrase.objects);
        for (const role of ROLES) {
          const meant = roles[role];
          if (meant !== undefined) cm[role].push(distance(readPosition(said[from], at, role), objects[meant].position));
        }
        cm.hand.push(distance(readHand(said[from], at), state));
      });
    });
  return { target_cm: within(cm.target), place_cm: within(cm.place), hand_cm: within(cm.hand) };
}

function errors(values: readonly number[]): Errors {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { n: values.length, median: median(values), mean };
}

function within(values: readonly number[]): Within {
  const share = (most: number) => values.filter((value) => value < most).length / values.length;
  return { ...errors(values), within_1cm: share(1), within_2cm: share(2) };
}
