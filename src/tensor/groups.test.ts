import { describe, expect, it } from 'vitest';
import { groupsOf } from './groups.ts';
import type { Spec, Tree } from './tree.ts';

/** Groups are told from shapes: whoever draws here has done work for nothing. */
const spec = (shape: number[], decay: boolean): Spec => ({
  shape,
  decay,
  draw() {
    throw new Error('drew');
  },
});
const blueprint: Tree<Spec> = {
  encoder: { words: spec([4, 2], true), norm: spec([2], false) },
  decoder: { layers: [{ weight: spec([2, 3], true), bias: spec([3], false) }, { weight: spec([5], true) }] },
};
const usual = { frozen: false, rate: 1 };

describe('parameter groups', () => {
  it('are runs of the flat array with one rule about decay', () => {
    expect(groupsOf(blueprint)).toEqual([
      { start: 0, end: 8, decay: true, ...usual },
      { start: 8, end: 10, decay: false, ...usual },
      { start: 10, end: 16, decay: true, ...usual },
      { start: 16, end: 19, decay: false, ...usual },
      { start: 19, end: 24, decay: true, ...usual },
    ]);
  });

  it('merge neighbours that are treated alike', () => {
    expect(groupsOf({ a: spec([3], true), b: [spec([2], true)] })).toEqual([
      { start: 0, end: 5, decay: true, ...usual },
    ]);
  });

  it('freeze a subtree and slow another down, the later rule over the earlier', () => {
    const rules = [
      { under: 'encoder', frozen: true, rate: 0.5 },
      { under: 'encoder.norm', frozen: false },
      { under: 'decoder.layers.1', rate: 0.1 },
    ];
    expect(groupsOf(blueprint, rules)).toEqual([
      { start: 0, end: 8, decay: true, frozen: true, rate: 0.5 },
      { start: 8, end: 10, decay: false, frozen: false, rate: 0.5 },
      { start: 10, end: 16, decay: true, ...usual },
      { start: 16, end: 19, decay: false, ...usual },
      { start: 19, end: 24, decay: true, frozen: false, rate: 0.1 },
    ]);
  });

  it('refuse a rule that is about nothing, also when its path begins a name', () => {
    expect(() => groupsOf(blueprint, [{ under: 'enc', frozen: true }])).toThrow(
      'No parameter is under enc, of which a rule for parameter groups speaks.',
    );
  });
});
