import { expect, test } from 'vitest';
import { READOUT_SIZE, readHand, readPosition, writeReadout } from './readout.ts';

/** Float32 of tenths of a metre. */
const TOLERANCE_M = 1e-7;

const state = [0.1, -0.2, 0.3, 1, 0, 0, 0, 1, 0, 0.03, -0.01];

test('positions are written and read; what a phrase does not name is not known', () => {
  const out = new Float32Array(2 * READOUT_SIZE).fill(9);
  const known = new Float32Array(2 * READOUT_SIZE);
  writeReadout(state, { target: [0.1, -0.05, 0.3] }, out, known, READOUT_SIZE);
  readPosition(out, READOUT_SIZE, 'target').forEach((v, i) => {
    expect(Math.abs(v - [0.1, -0.05, 0.3][i])).toBeLessThan(TOLERANCE_M);
  });
  readHand(out, READOUT_SIZE).forEach((v, i) => {
    expect(Math.abs(v - state[i])).toBeLessThan(TOLERANCE_M);
  });
  const row = [...known.subarray(READOUT_SIZE)];
  expect(row).toEqual([...Array(12).fill(1), ...Array(12).fill(0), ...Array(4).fill(1)]);
  expect([...known.subarray(0, READOUT_SIZE)]).toEqual(Array(READOUT_SIZE).fill(0));
});

test('offsets come at three scales, and the opening of the fingers is the share of their travel', () => {
  const out = new Float32Array(READOUT_SIZE);
  writeReadout(state, { target: [0.1, -0.05, 0.3] }, out, new Float32Array(READOUT_SIZE), 0);
  const y = [4, 7, 10].map((i) => out[i]);
  expect(y[0]).toBeCloseTo(1.5, 6);
  expect(y[1]).toBeCloseTo(Math.tanh(3), 6);
  expect(y[2]).toBeCloseTo(Math.tanh(10), 6);
  for (const i of [3, 5, 6, 8, 9, 11]) expect(out[i]).toBeCloseTo(0, 6);
  expect(out[READOUT_SIZE - 1]).toBeCloseTo(0.5, 6);
});
