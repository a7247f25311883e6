/** Results that nobody computed, for tests of what is made of results. */
import { type ResultLine, rateOf } from '../../src/reproduce/results.ts';
import type { Plan } from '../../src/reproduce/summary.ts';
import { trainConfig } from '../../src/train/index.ts';

export const PLAN: Plan = {
  name: 'main',
  baseline: 'diffusion',
  suites: ['tabletop-object', 'tabletop-goal'],
  seeds: [0, 1],
  variants: [
    { name: 'flow', label: 'Flow <MLP>' },
    { name: 'diffusion', label: 'Diffusion' },
  ],
};

interface Given {
  suite: string;
  variant: string;
  seed: number;
  /** Of 10. */
  successes: number;
  hash?: string;
  latencyMs?: number;
  metric?: number;
}

export function lineOf({ suite, variant, seed, successes, latencyMs = 1, metric = -2, ...given }: Given): ResultLine {
  const name = `${suite}/${variant}/${seed}`;
  const { data: _, ...settings } = trainConfig(new Map([['seed', { value: seed, where: 'test' }]]));
  return {
    ...{ name, suite, variant, seed, settings, hash: given.hash ?? name },
    study: PLAN.name,
    label: variant,
    ...rateOf({ successes, n: 10 }),
    tasks: [
      { task: 'easy', successes: Math.min(5, successes), n: 5 },
      { task: 'hard_one', successes: Math.max(0, successes - 5), n: 5 },
    ],
    latency_ms: { p50: latencyMs, p95: 2 * latencyMs },
    metrics: { step: 10, val_bits_per_dim: metric },
    training_s: 60,
    evaluation_s: 6,
    backend: 'graph',
    machine: { cpu: 'Abacus', cores: 2, node: 'v20' },
    parameters: 1_000_000,
    data_hash: 'd',
    demonstrations: { episodes: 5, seed: 0 },
    evaluation: { episodes: 5, seed: 100 + seed },
    versions: { package: '1', engine: '2', mujoco: '3' },
  };
}
