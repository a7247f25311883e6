import { expect, test } from 'vitest';
import { latencySchema, measureLatency } from '../bench/latency.ts';
import { decoderSchema } from '../decoders/index.ts';
import { BACKENDS } from '../decoders/nina/index.ts';
import { key } from '../random.ts';
import { formatLatency } from './bench-latency.ts';

const small = (name: string, config: object) => ({ name, config: decoderSchema.parse(config), tokens: 3, width: 8 });
const models = [
  small('diffusion', { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 }),
  small('flow', { name: 'nina', n_layers: 2, affine_dim: 16, cond_dim: 8 }),
  small('attending flow', { name: 'nina', backbone: 'trans', n_layers: 2, affine_dim: 16, n_heads: 2, cond_dim: 8 }),
  small('regression', { name: 'regression' }),
];

test('every model is measured on each of its backends, beside its limit', async () => {
  const latency = latencySchema.strict().parse(await measureLatency({ models, key: key(0), seconds: 0.5 }));
  const rows = latency.models.map(({ name, backend }) => `${name} ${backend}`);
  const nina = (name: string) => ['graph', ...BACKENDS].map((backend) => `${name} ${backend}`);
  expect(rows).toEqual(['diffusion graph', ...nina('flow'), ...nina('attending flow'), 'regression graph']);
  for (const m of latency.models) {
    expect(m.min_ms).toBeLessThanOrEqual(m.median_ms);
    expect(m.median_ms).toBeLessThanOrEqual(m.p99_ms);
    expect(m.limit_ms).toBeCloseTo(m.weight_bytes / m.gb_per_s / 1e6, 12);
    expect(m.weight_bytes >= m.resident_bytes).toBe(true);
    if (m.name === 'diffusion') expect(m.weight_bytes).toBeGreaterThan(m.resident_bytes);
  }
  const table = formatLatency(latency);
  for (const { name, backend } of latency.models) expect(table).toContain(`| ${name} | ${backend} |`);
  expect(table).not.toMatch(/NaN|undefined|Infinity/);
});
