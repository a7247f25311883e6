import { expect, test } from 'vitest';
import { measureWhole, WHOLE, wholeSchema } from '../bench/whole.ts';
import { formatWhole } from './bench-whole.ts';

test('a whole decision of the nano is measured, from pictures to actions', async () => {
  const models = WHOLE.filter(({ encoder }) => encoder === 'florence2-nano');
  const whole = wholeSchema.strict().parse(await measureWhole({ models, threads: 1, seconds: 0.1 }));
  const [row] = whole.models;
  expect(row).toMatchObject({ name: 'Florence-2 nano', backend: 'onnx', threads: 1, tokens: 133 });
  expect(row.min_ms).toBeLessThanOrEqual(row.median_ms);
  expect(row.median_ms).toBeLessThanOrEqual(row.p99_ms);
  expect(formatWhole(whole)).toContain('| Florence-2 nano | onnx |');
  expect(formatWhole(whole)).not.toMatch(/NaN|undefined|Infinity/);
});
