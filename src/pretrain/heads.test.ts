import { expect, test } from 'vitest';
import { TINY } from '../../test/support/pretrain.ts';
import { POSITION_OFFSET } from '../encoders/florence2/bart.ts';
import { blueprint } from '../encoders/florence2/params.ts';
import { cpu } from '../engine/index.ts';
import { layerNorm, linear, splitHeads } from '../nn/index.ts';
import { key, normals } from '../random.ts';
import {
  add,
  concat,
  constant,
  embed,
  freeze,
  input,
  materialise,
  matmul,
  mul,
  reshape,
  slice,
} from '../tensor/index.ts';
import { attendNames } from './heads.ts';

/** Float32 sums of 16 products. */
const TOLERANCE = 1e-5;

test('a name of one word is looked for as the text encoder does where that word stands in a text', async () => {
  const { language_model: p } = freeze(materialise(blueprint(key(3), TINY)));
  const [V, C, d, heads] = [2, 17, TINY.width, TINY.encoder_heads];
  const features = constant(normals(key(4), V * C * d), [1, V, C, d]);
  const ids = input('ids', [1, 1, 1], 'int64');
  const attended = attendNames(p, heads, ids, constant([1], [1, 1, 1]), features);
  // [views, <Flow>, <s>, the word]: the first name asked for stands where a text's first word does.
  const word = reshape(embed(p.shared.weight, ids), [1, 1, d]);
  const sequence = concat([reshape(features, [1, V * C, d]), word, word, word], 1);
  const S = V * C + 3;
  const { embed_positions, layernorm_embedding, layers } = p.encoder;
  const x = layerNorm(
    layernorm_embedding,
    add(sequence, slice(embed_positions.weight, 0, POSITION_OFFSET, POSITION_OFFSET + S)),
  );
  const [q, k] = [layers[0].self_attn.q_proj, layers[0].self_attn.k_proj].map((map) =>
    splitHeads(linear(map, x), heads),
  );
  const scores = mul(matmul(q, k, { transB: true }), 1 / Math.sqrt(d / heads));
  const first = slice(slice(slice(scores, 1, 0, 1), 2, S - 1, S), 3, 0, V * C);
  using program = await cpu.compile({ attended, first });
  const found = await program.run({ ids: BigInt64Array.of(7n) });
  expect(found.attended.some((score) => Math.abs(score) > 0.01)).toBe(true);
  found.attended.forEach((score, i) => {
    expect(Math.abs(score - found.first[i])).toBeLessThan(TOLERANCE);
  });
});
