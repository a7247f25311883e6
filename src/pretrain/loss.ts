/**
 * The loss of grounding pretraining. Regression of positions from pictures alone stays on its plateau for hours; choosing
 * cells does not, so there are three parts, each of which makes the next one easy:
 *  1. names: every projected token of both views is compared with the names of things; cross-entropy over the cells that hold
 *     them ('not to be seen' is a candidate too), and the offset inside the cell.
 *  2. roles: after the text encoder every token of a view says whether it holds what the phrase would have taken, or
 *     the place to put it, or the hand.
 *  3. readout: from the mean of the encoded tokens, which is all that a pooled decoder is given, and from <Flow>, where these
 *     and the hand are (readout.ts).
 * What follows the text encoder sets in gradually: before cells are found there is nothing to read.
 */
import {
  add,
  clamp,
  div,
  log,
  mean,
  mul,
  neg,
  reshape,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
} from '../tensor/index.ts';
import type { Answers } from './model.ts';

/** Where smooth L1 turns from square to line: a tenth of a cell, and one centimetre in the units of the readout. */
const BEND = 0.1;
/** Of an offset beside a cell's cross-entropy. */
const OFFSET_WEIGHT = 2;
/** Of a readout beside names and roles: it is a mean over many numbers. */
const READOUT_WEIGHT = 4;
/** Added to a probability before its logarithm: a candidate that is given up must not make an infinity. */
const LEAST = 1e-8;

/** @returns a scalar */
export function groundingLoss(said: Answers, inputs: Readonly<Record<string, Tensor>>): Tensor {
  const names = cellLoss(said.names, inputs['name.cells'], inputs['name.offsets']);
  const roles = cellLoss(said.roles, inputs['role.cells'], inputs['role.offsets']);
  const [fromMean, fromFlow] = [said.mean, said.flow].map((readout) =>
    mean(mul(smoothL1(sub(readout, inputs['readout.wanted'])), inputs['readout.known'])),
  );
  const late = add(roles, mul(add(fromMean, fromFlow), READOUT_WEIGHT));
  return add(names, mul(late, inputs['late.weight']));
}

/**
 * @param said [.., 3, V, C]: scores and offsets
 * @param cells [.., V, C]: each candidate's share in what is right; all 0 where nothing is asked
 * @param offsets [.., 2, V, C]: of the right candidates, in cells
 * @returns mean over names (or phrases and roles) and views
 */
function cellLoss(said: Tensor, cells: Tensor, offsets: Tensor): Tensor {
  const axis = said.shape.length - 3;
  const [V, C] = said.shape.slice(-2);
  const lead = said.shape.slice(0, axis);
  const scores = reshape(slice(said, axis, 0, 1), [...lead, V, C]);
  const surprise = neg(sum(mul(cells, log(add(softmax(scores), LEAST)))));
  const error = smoothL1(sub(slice(said, axis, 1, 3), offsets));
  const away = sum(mul(error, reshape(cells, [...lead, 1, V, C])));
  const asked = lead.reduce((a, b) => a * b, 1) * V;
  return div(add(surprise, mul(away, OFFSET_WEIGHT)), asked);
}

/** x^2 / 2b up to |x| = b, |x| - b / 2 beyond (Girshick, arXiv 1504.08083): both are c (x - c / 2) / b with c = x cut to [-b, b]. */
function smoothL1(x: Tensor): Tensor {
  const c = clamp(x, -BEND, BEND);
  return div(mul(c, sub(x, mul(c, 0.5))), BEND);
}
