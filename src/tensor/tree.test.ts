import { describe, expect, it } from 'vitest';
import { feeds, freeze, layoutOf, leaves, materialise, type NDArray, pack, symbols, unpack } from './tree.ts';

const array = (shape: number[], start: number) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i),
});
const tree = { layers: [{ weight: array([2, 2], 0), bias: array([2], 10) }], out: { weight: array([1, 2], 20) } };

describe('parameter trees', () => {
  it('names leaves by their path', () => {
    expect(leaves<NDArray>(tree).map(([path]) => path)).toEqual(['layers.0.weight', 'layers.0.bias', 'out.weight']);
  });

  it('packs into one flat array and views it without copying', () => {
    const { layout, flat } = pack(tree);
    expect([...flat]).toEqual([0, 1, 2, 3, 10, 11, 20, 21]);
    const views = unpack(tree, flat);
    flat[4] = 99;
    expect(views.layers[0].bias.data[0]).toBe(99);
    expect(feeds(layout, flat, 'p.')['p.out.weight']).toEqual(Float32Array.of(20, 21));
  });

  it('makes one graph input per leaf', () => {
    const p = symbols(tree);
    expect(p.layers[0].weight.shape).toEqual([2, 2]);
    expect(p.out.weight).toMatchObject({ op: 'input', attrs: { name: 'out.weight' } });
  });

  it('refuses data that does not fill its shape', () => {
    expect(() => pack({ w: { shape: [3], data: new Float32Array(2) } })).toThrow(
      'Parameter w of shape [3] has 2 numbers, not 3.',
    );
    expect(layoutOf({ w: { shape: [3] } }).size).toBe(3);
  });

  it('freezes into weights that read the arrays themselves', () => {
    const { out } = freeze(tree);
    expect(out.weight).toMatchObject({ op: 'weight', shape: [1, 2] });
    expect((out.weight.attrs as { data: Float32Array }).data).toBe(tree.out.weight.data);
  });

  it('draws a blueprint into parameters, and names the one that draws too few numbers', () => {
    const ones = (shape: number[], n: number) => ({ shape, decay: true, draw: () => new Float32Array(n).fill(1) });
    expect(materialise({ w: [ones([2, 1], 2)] })).toEqual({ w: [{ shape: [2, 1], data: Float32Array.of(1, 1) }] });
    expect(() => materialise({ w: [ones([2, 1], 3)] })).toThrow('Parameter w.0 of shape [2, 1] drew 3 numbers.');
  });
});
