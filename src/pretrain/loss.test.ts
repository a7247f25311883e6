import { expect, test } from 'vitest';
import { cpu } from '../engine/index.ts';
import { constant, type Tensor } from '../tensor/index.ts';
import { groundingLoss } from './loss.ts';
import { READOUT_SIZE } from './readout.ts';

/** Float32 sums. */
const TOLERANCE = 1e-5;

/** One name and one phrase with both roles, one view of 2 candidates: all of them in the last one, at no offset. */
async function loss(score: number, aside: number, late: number): Promise<number> {
  const said = (rows: number) => {
    const one = [0, score, 0, aside, 0, 0];
    return Array.from({ length: rows }, () => one).flat();
  };
  const wanted = constant(new Float32Array(READOUT_SIZE), [1, READOUT_SIZE]);
  const readout = constant(new Float32Array(READOUT_SIZE).fill(aside), [1, READOUT_SIZE]);
  const inputs: Record<string, Tensor> = {
    'name.cells': constant([0, 1], [1, 1, 1, 2]),
    'name.offsets': constant([0, 0, 0, 0], [1, 1, 2, 1, 2]),
    'role.cells': constant([0, 1, 0, 1], [1, 2, 1, 2]),
    'role.offsets': constant(new Float32Array(8), [1, 2, 2, 1, 2]),
    'readout.wanted': wanted,
    'readout.known': constant(new Float32Array(READOUT_SIZE).fill(1), [1, READOUT_SIZE]),
    'late.weight': constant([late], []),
  };
  const attended = constant([0, score], [1, 1, 1, 2]);
  const names = constant(said(1), [1, 1, 3, 1, 2]);
  const roles = constant(said(2), [1, 2, 3, 1, 2]);
  using program = await cpu.compile({
    loss: groundingLoss({ names, attended, roles, mean: readout, flow: readout }, inputs),
  });
  return (await program.run({})).loss[0];
}

test('the loss is the cross-entropy of the cells, from pointing and from attention, and smooth L1 of offsets and readout with their weights', async () => {
  const ce = (score: number) => Math.log(1 + Math.exp(-score));
  expect(Math.abs((await loss(1, 0, 0)) - 2 * ce(1))).toBeLessThan(TOLERANCE);
  expect(Math.abs((await loss(1, 0, 1)) - 5 * ce(1))).toBeLessThan(TOLERANCE);
  // 0.3 is beyond the bend at 0.1, 0.04 is not.
  for (const [aside, l1] of [
    [0.3, 0.25],
    [0.04, (0.04 * 0.04) / 0.2],
  ]) {
    expect(Math.abs((await loss(1, aside, 0)) - (2 * ce(1) + 2 * l1))).toBeLessThan(TOLERANCE);
    expect(Math.abs((await loss(1, aside, 1)) - (5 * ce(1) + 8 * l1 + 6 * l1))).toBeLessThan(TOLERANCE);
  }
});

test('a candidate that was given up costs much and no infinity', async () => {
  const given = await loss(-1000, 0, 0);
  expect(Math.abs(given + 2 * Math.log(1e-8))).toBeLessThan(1e-3);
});
