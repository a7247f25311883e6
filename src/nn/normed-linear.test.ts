/** For few rows or for many, it is the layer of the norm. */
import { describe, expect, test } from 'vitest';
import { interpret } from '../../test/support/interpreter.ts';
import { key, normals } from '../random.ts';
import { grad, input, mul, size, sum, type Tensor } from '../tensor/index.ts';
import { topological } from '../tensor/tensor.ts';
import { layerNorm, linear, normedLinear } from './index.ts';

/** Two evaluations in float64, of a few hundred products. */
const TOLERANCE = 1e-12;
const [IN, OUT] = [5, 3];

describe.each([6, 40])('of %i rows', (rows) => {
  const norm = { weight: input('g', [IN]), bias: input('b', [IN]) };
  const layer = { weight: input('w', [OUT, IN]), bias: input('c', [OUT]) };
  const x = input('x', [2, rows / 2, IN]);
  const leaves = [x, norm.weight, norm.bias, layer.weight, layer.bias];
  const seed = input('seed', [2, rows / 2, OUT]);
  const feeds = Object.fromEntries(
    [...leaves, seed].map((t) => {
      const { name } = t.attrs as { name: string };
      return [name, normals(key(name.charCodeAt(0)), size(t.shape))];
    }),
  );
  const results = (y: Tensor) => interpret([y, ...grad(sum(mul(y, seed)), leaves)], feeds);

  test('values and gradients are those of one after the other', () => {
    const found = results(normedLinear(norm, layer, x));
    results(linear(layer, layerNorm(norm, x))).forEach((wanted, i) => {
      wanted.forEach((value, j) => {
        expect(Math.abs(found[i][j] - value)).toBeLessThan(TOLERANCE * (1 + Math.abs(value)));
      });
    });
  });

  test('the affine map is of the rows where they are few, of the weight where they are many', () => {
    const scaled = topological([normedLinear(norm, layer, x)]).filter(
      (t) => t.op === 'mul' && t.args.includes(norm.weight),
    );
    expect(scaled.map(({ shape }) => shape)).toEqual([rows === 6 ? x.shape : [OUT, IN]]);
  });
});
