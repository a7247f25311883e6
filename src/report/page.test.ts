import { expect, test } from 'vitest';
import { key, normals } from '../random.ts';
import { type EpisodeLine, evaluationOf } from '../rollout/episodes.ts';
import { type ReportInput, renderReport } from './page.ts';
import { plot, thin } from './plot.ts';

const tasks = [
  { name: 'can', instruction: 'pick <the> can & place it in the basket' },
  { name: 'milk', instruction: 'pick the milk and place it in the basket' },
];

function example(): ReportInput {
  const lines = Array.from({ length: 20 }, (_, i): EpisodeLine => {
    const task = i < 10 ? 'can' : 'milk';
    const [run, suite, engine, scene] = ['r', 'tabletop-object', '3', 's'];
    const episode = i % 10;
    return {
      run,
      suite,
      task,
      episode,
      seed: 0,
      success: i > 1,
      steps: 100,
      latency_ms: [3],
      final_state: '',
      engine,
      scene,
    };
  });
  const wave = (phase: number) => Float32Array.from({ length: 70 }, (_, i) => Math.sin(i / 9 + phase) * 0.8);
  const noise = normals(key(1), 1000);
  return {
    title: 'NinA-mlp on tabletop-object',
    facts: [['data (sha256)', 'abc']],
    evaluation: evaluationOf('tabletop-object', tasks, lines),
    videos: [true, false].map((success, episode) => ({
      ...{ instruction: tasks[0].instruction, episode, success, steps: 91 },
      dataUri:
        'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    })),
    chunks: [0, 40].map((step) => ({
      instruction: tasks[0].instruction,
      step,
      demonstration: wave(0),
      samples: Array.from({ length: 16 }, (_, i) => wave((i - 8) / 20)),
    })),
    metrics: Array.from({ length: 1000 }, (_, step) => ({
      step,
      loss: 40 * Math.exp(-step / 200) - 120 + noise[step],
      grad_norm: 3 + 0.2 * noise[step],
      lr: 1e-4 * Math.min(1, step / 100),
      ...(step % 100 === 0 && { val_loss: 40 * Math.exp(-step / 180) - 115, val_best_of_8_mse: 0.1, val_z0_mse: 0.2 }),
    })),
  };
}

test('a page is self-contained and shows every part', () => {
  const html = renderReport(example());
  expect(html).not.toMatch(/<script|<link|src="(?!data:)|href="|url\(/);
  for (const tag of ['main', 'table', 'svg', 'figure', 'h2', 'div', 'dl'])
    expect(html.split(`<${tag}`).length, tag).toBe(html.split(`</${tag}>`).length);
  for (const part of ['90.0%', '18 of 20', '95% Wilson', 'Rollouts', 'Sampled action chunks', 'Training', 'sha256'])
    expect(html).toContain(part);
  expect(html).toContain('pick &lt;the&gt; can &amp; place it');
  expect(html).not.toMatch(/NaN|undefined|Infinity/);
});

test('parts without data are left out', () => {
  const html = renderReport({ ...example(), videos: [], chunks: [], metrics: [] });
  expect(html).not.toMatch(/Rollouts|Sampled action chunks|Training/);
});

test('a plot maps its extremes to the corners, and survives constants and holes', () => {
  const options = { title: 't', width: 148, height: 144 };
  const line = { label: 'l', style: 'a' as const };
  const square = plot({
    ...options,
    lines: [
      {
        ...line,
        points: [
          [0, 0],
          [5, 2],
          [10, 4],
        ],
      },
    ],
  });
  expect(square).toContain('points="40,124 90,74 140,24"');
  const flat = plot({
    ...options,
    lines: [
      {
        ...line,
        points: [
          [0, 3],
          [1, Number.NaN],
          [2, 3],
        ],
      },
    ],
  });
  expect(flat).toContain('points="40,74 140,74"');
  expect(plot({ ...options, lines: [{ ...line, points: [[0, Number.NaN]] }] })).toBe('');
});

test('thinning keeps the mean', () => {
  const thinned = thin(
    Array.from({ length: 1000 }, (_, i): [number, number] => [i, 2 * i]),
    100,
  );
  expect(thinned).toHaveLength(100);
  expect(thinned[0]).toEqual([4.5, 9]);
});
