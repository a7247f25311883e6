/**
 * The loss of grounding pretraining. Regression of positions from pictures alone stays on its plateau for hours; choosing
 * cells does not, so there are three parts, each of which makes the next one easy:
 *  1. names: every projected token of both views is compared with the names of things; cross-entropy over the cells that hold
 *     them ('not to be seen' is a candidate too), and the offset inside the cell. The text encoder's own first attention head is
 *     asked for the cells, too.
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
  reshape,
  size,
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
/** Of what is pointed at after a phrase beside names: until it is known, a readout only guesses. */
const ROLE_WEIGHT = 3;
/** Of a readout beside names and roles: it is a mean over many numbers. */
const READOUT_WEIGHT = 3;
/** Added to a probability before its logarithm: a candidate that is given up must not make an infinity. */
const LEAST = 1e-8;

/** @returns a scalar */
export function groundingLoss(said: Answers, inputs: Readonly<Record<string, Tensor>>): Tensor {
  const pointed = cellLoss(said.names, inputs['name.cells'], inputs['name.offsets']);
  const attended = meanSurprise(said.attended, inputs['name.cells']);
  const roles = cellLoss(said.roles, inputs['role.cells'], inputs['role.offsets']);
  const [fromMean, fromFlow] = [said.mean, said.flow].map((readout) =>
    mean(mul(smoothL1(sub(readout, inputs['readout.wanted'])), inputs['readout.known'])),
  );
  const late = add(mul(roles, ROLE_WEIGHT), mul(add(fromMean, fromFlow), READOUT_WEIGHT));
  return add(add(pointed, attended), mul(late, inputs['late.weight']));
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
  const surprise = meanSurprise(reshape(slice(said, axis, 0, 1), [...lead, V, C]), cells);
  const error = smoothL1(sub(slice(said, axis, 1, 3), offsets));
  const away = sum(mul(error, reshape(cells, [...lead, 1, V, C])));
  return add(surprise, mul(away, OFFSET_WEIGHT / askedOf(cells)));
}

/** How often a cell is asked for, of cells [.., C]. */
const askedOf = (cells: Tensor) => size(cells.shape.slice(0, -1));

/** The cross-entropy of scores [.., C] from what is right [.., C], mean over what is asked. */
function meanSurprise(scores: Tensor, cells: Tensor): Tensor {
  return mul(sum(mul(cells, log(add(softmax(scores), LEAST)))), -1 / askedOf(cells));
}

/** x^2 / 2b up to |x| = b, |x| - b / 2 beyond (Girshick, arXiv 1504.08083): both are c (x - c / 2) / b with c = x cut to [-b, b]. */
function smoothL1(x: Tensor): Tensor {
  const c = clamp(x, -BEND, BEND);
  return div(mul(c, sub(x, mul(c, 0.5))), BEND);
}
