import { expect, test } from 'vitest';
import { key } from '../random.ts';
import type { EpisodeLine } from '../rollout/episodes.ts';
import { detection, foresight } from './detection.ts';

function line(episode: number, surprise: (number | null)[], change: Partial<EpisodeLine> = {}): EpisodeLine {
  return {
    ...{ run: 'r', suite: 's', task: 't', episode, seed: 0, success: true, steps: 9, final_state: 'f' },
    ...{ engine: '3', scene: 'x', latency_ms: surprise.map(() => 1), surprise },
    log_prob: surprise.map((_, i) => 100 + 10 * i),
    seam_jump_m: surprise.slice(1).map(() => 0.01),
    ...change,
  };
}

test('the same chunks of the same episodes are compared, from the disturbance on', () => {
  const episodes = [0, 1, 2, 3];
  const undisturbed = episodes.map((e) => line(e, [null, 5, 1, 1], { ood: [null, 0.6, 0.2, 0.2] }));
  const disturbed = [
    ...[0, 1, 2].map((e) =>
      line(e, [null, 5, 30 + e, 1, 99], { perturbed_at: 2, success: false, ood: [null, 0.6, 0.99, 0.2, 1] }),
    ),
    // Ended before the disturbance.
    line(3, [null, 5, 1, 1], {}),
  ];
  const found = detection('moved', { multistep: 5, lines: disturbed }, { lines: undisturbed }, key(1));
  expect(found).toMatchObject({
    perturbation: 'moved',
    multistep: 5,
    success: { n: 3, successes: 0 },
    undisturbed: { n: 3, successes: 3 },
    flagged: [1, 0],
  });
  const { surprise, 'own log p': own, 'jump at seam': jump } = found.scores;
  expect([surprise.first.auroc, surprise.episodes.auroc, surprise.first.n]).toEqual([1, 1, 3]);
  // Beyond the first it is as undisturbed, and chunk 4 has no counterpart.
  expect(surprise.chunks.auroc).toBe(0.75);
  // Scores of the phase alone tell nothing.
  expect([own.first.auroc, own.chunks.auroc, jump.episodes.auroc]).toEqual([0.5, 0.5, 0.5]);
});

test('failure is foreseen from the first seconds alone', () => {
  const late = [null, 1, 1, 1, 1, 1, 1, 1];
  const lines = [0, 1, 2, 3].map((e) =>
    // Who fails surprises early; who succeeds, only after 80 steps.
    e < 2 ? line(e, [null, 9, 9, 9, 2], { success: false }) : line(e, [...late, 99, 99, 99, 99, 99, 99, 99, 99, 99]),
  );
  const { failures, scores } = foresight({ multistep: 10, lines }, key(1))!;
  expect(failures).toBe(2);
  expect(scores.surprise).toMatchObject({ auroc: 1, n: 4 });
  expect(foresight({ multistep: 10, lines: lines.slice(0, 2) }, key(1))).toBeUndefined();
});
