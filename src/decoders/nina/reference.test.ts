import { describe, expect, test } from 'vitest';
import { invert } from '../../flows/index.ts';
import { key, normals, permutation } from '../../random.ts';
import { type NinaConfig, ninaSchema } from './config.ts';
import { deadNames, pieces } from './names.ts';
import { exportReference, importReference, type StateDict } from './reference.ts';

const common = { n_layers: 2, affine_dim: 4, n_heads: 2, block_depth: 2, cond_dim: 3, chunk_length: 2, action_dim: 3 };
const configs: NinaConfig[] = (['mlp', 'trans'] as const).flatMap((backbone) =>
  [true, false].map((use_plu) => ninaSchema.parse({ ...common, backbone, use_plu })),
);

/** A state dict with different numbers everywhere. */
function stateOf(config: NinaConfig): Record<string, StateDict[string]> {
  const D = config.chunk_length * config.action_dim;
  const stride = config.use_plu ? 3 : 2;
  const state: Record<string, StateDict[string]> = {};
  for (const [name, shape] of [...pieces(config).map((p) => [p.name, p.shape] as const), ...deadNames(config)] as const)
    state[name] = {
      shape,
      data: normals(
        key(name.length),
        shape.reduce((a, b) => a * b, 1),
      ),
    };
  for (let i = 0; i < config.n_layers; i++) {
    const order = [...permutation(key(i), config.backbone === 'mlp' ? D : config.chunk_length)];
    const integers = (list: readonly number[]) => ({ shape: [list.length], data: BigInt64Array.from(list, BigInt) });
    state[`layers.${stride * i}.perm`] = integers(order);
    state[`layers.${stride * i}.inv_perm`] = integers(invert(order));
    const rows = [...permutation(key(100 + i), D)];
    const matrix = (list: readonly number[]) => ({
      shape: [D, D],
      data: Float32Array.from({ length: D * D }, (_, at) => (list[Math.floor(at / D)] === at % D ? 1 : 0)),
    });
    if (config.use_plu) state[`layers.${3 * i + 2}.P`] = matrix(rows);
    if (config.use_plu) state[`layers.${3 * i + 2}.P_inv`] = matrix(invert(rows));
  }
  return state;
}

describe.each(configs)('$backbone, PLU $use_plu', (config) => {
  const state = stateOf(config);

  test('what is imported is exported again, except what is dead', () => {
    const { model, dead } = importReference(config, state);
    const back = exportReference(config, model.params);
    for (const [name, { shape, data }] of Object.entries(back)) {
      expect(shape, name).toEqual(state[name].shape);
      if (dead.includes(name)) expect(data.every((v) => v === 0)).toBe(true);
      else if (!dead.includes(`${name} (query and key)`)) expect(data, name).toEqual(state[name].data);
      else {
        const live = data.length / 3;
        expect(data.subarray(-live), name).toEqual(state[name].data.slice(-live));
        expect(data.subarray(0, -live).every((v) => v === 0)).toBe(true);
      }
    }
    expect(dead.length).toBe(config.backbone === 'mlp' ? 0 : 2 * (2 + 2 * 2 + 2 * 2));
  });

  test('the prefix of a whole policy is understood, and the rest of the policy left alone', () => {
    const prefixed = Object.fromEntries(Object.entries(state).map(([name, t]) => [`nf.${name}`, t]));
    const policy = { ...prefixed, 'cond_proj.weight': { shape: [1], data: Float32Array.of(1) } };
    expect(importReference(config, policy)).toEqual(importReference(config, state));
  });

  test('every difference is named', () => {
    const [first, second] = [...new Set(pieces(config).map((p) => p.name))] as [string, string];
    const { [first]: _, ...rest } = state;
    const wrong = { ...rest, extra: state[first], [second]: { shape: [7], data: new Float32Array(7) } };
    for (const line of [
      `missing: ${first}`,
      'unexpected: extra',
      `shape: ${second} is [7], wanted [${state[second].shape.join(', ')}]`,
    ])
      expect(() => importReference(config, wrong)).toThrow(line);
  });

  test('a permutation that its stored inverse does not undo is refused', () => {
    const order = [...Array(config.backbone === 'mlp' ? 6 : 2).keys()];
    const integers = (list: number[]) => ({ shape: [list.length], data: BigInt64Array.from(list, BigInt) });
    const damaged = { 'layers.0.perm': integers(order), 'layers.0.inv_perm': integers([...order].reverse()) };
    expect(() => importReference(config, { ...state, ...damaged })).toThrow(
      'layers.0.inv_perm does not undo layers.0.perm',
    );
  });
});

test('a P that is no permutation matrix is refused', () => {
  const config = configs[0];
  const P = { shape: [6, 6], data: new Float32Array(36).fill(0.5) };
  expect(() => importReference(config, { ...stateOf(config), 'layers.2.P': P })).toThrow(
    'layers.2.P is not a permutation matrix: row 0 does not hold a single 1.',
  );
});
