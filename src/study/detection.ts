/**
 * Does a score tell disturbed episodes from the same episodes undisturbed? Disturbed and undisturbed runs of an episode are
 * compared chunk by chunk, so that a score that only tells the phase of the task scores 0.5. And does it tell, early in an
 * episode, that it will fail?
 */
import type { Key } from '../random.ts';
import { type EpisodeLine, successRate, UNUSUAL } from '../rollout/episodes.ts';
import type { PerturbationKind } from '../sim/perturbations.ts';
import { median, type Rate } from '../statistics/index.ts';
import { type Area, areaOver, type Pair } from './roc.ts';

/** How well a score separates chunks of disturbed episodes from the same chunks undisturbed. */
export interface Separation {
  /** The first decision after the disturbance. */
  first: Area;
  /** Every decision after it, while both episodes last. */
  chunks: Area;
  /** The largest of these of each episode. */
  episodes: Area;
}

export interface Detection {
  perturbation: PerturbationKind;
  multistep: number;
  /** Of the disturbed episodes, and of the same ones undisturbed; null when none lasted until the disturbance. */
  success: Rate | null;
  undisturbed: Rate | null;
  /** By score: `SCORES`. */
  scores: Record<string, Separation>;
  /** Share of the first decisions after the disturbance whose rank is unusual, disturbed and not; absent without ranks. */
  flagged?: [disturbed: number, undisturbed: number];
}

export interface Foresight {
  failures: number;
  /** Episodes that will fail against those that will succeed, by the median of a score over their first seconds. */
  scores: Record<string, Area>;
}

/** How early: 4 s, by when the hand is about to grasp or has grasped, and nothing is decided yet. */
const FORESIGHT_STEPS = 80;

/**
 * Candidates for an alarm, each of a chunk of an episode; larger is more alarming, undefined where there is none.
 * `surprise` is what evaluations report as `ood`; the others are what it must beat: how unlikely the policy finds its own
 * chunk, and how far the new command is from the last, which needs no density at all.
 */
const SCORES: Readonly<Record<string, (line: EpisodeLine, chunk: number) => number | undefined>> = {
  surprise: (line, i) => line.surprise?.[i] ?? undefined,
  'own log p': (line, i) => (line.log_prob?.[i] === undefined ? undefined : -line.log_prob[i]),
  'jump at seam': (line, i) => line.seam_jump_m?.[i - 1],
};

export function detection(
  perturbation: PerturbationKind,
  disturbed: { multistep: number; lines: readonly EpisodeLine[] },
  undisturbed: { lines: readonly EpisodeLine[] },
  bootstrap: Key,
): Detection {
  const pairs = disturbed.lines.flatMap((line) => {
    const same = undisturbed.lines.find(({ task, episode }) => task === line.task && episode === line.episode);
    return line.perturbed_at === undefined || !same ? [] : [{ line, same, from: line.perturbed_at }];
  });
  const chunksOf = ({ line, same, from }: (typeof pairs)[number], score: (typeof SCORES)[string]) => {
    const last = Math.min(line.latency_ms.length, same.latency_ms.length);
    const both = Array.from({ length: last - from }, (_, i) => [score(line, from + i), score(same, from + i)] as const);
    return both.filter((pair): pair is readonly [number, number] => pair.every((value) => value !== undefined));
  };
  const separation = (score: (typeof SCORES)[string]): Separation => {
    const chunks = pairs.map((pair) => chunksOf(pair, score)).filter((both) => both.length > 0);
    const area = (reduce: (values: readonly number[]) => readonly number[]) =>
      areaOver(
        chunks.map(
          (both): Pair => ({ positive: reduce(both.map(([p]) => p)), negative: reduce(both.map(([, n]) => n)) }),
        ),
        bootstrap,
      );
    return {
      first: area((values) => values.slice(0, 1)),
      chunks: area((values) => values),
      episodes: area((values) => [Math.max(...values)]),
    };
  };
  const ranks = pairs.flatMap((pair) => chunksOf(pair, (line, i) => line.ood?.[i] ?? undefined).slice(0, 1));
  const flagged = (side: 0 | 1) => ranks.filter((rank) => rank[side] > UNUSUAL).length / ranks.length;
  return {
    perturbation,
    multistep: disturbed.multistep,
    success: pairs.length === 0 ? null : successRate(pairs.map(({ line }) => line)),
    undisturbed: pairs.length === 0 ? null : successRate(pairs.map(({ same }) => same)),
    scores: Object.fromEntries(Object.entries(SCORES).map(([name, score]) => [name, separation(score)])),
    ...(ranks.length > 0 && { flagged: [flagged(0), flagged(1)] }),
  };
}

/** Undefined when all episodes end alike. */
export function foresight(
  { multistep, lines }: { multistep: number; lines: readonly EpisodeLine[] },
  bootstrap: Key,
): Foresight | undefined {
  const failures = lines.filter(({ success }) => !success).length;
  if (failures === 0 || failures === lines.length) return undefined;
  const early = (line: EpisodeLine, score: (typeof SCORES)[string]) =>
    line.latency_ms
      .slice(0, Math.ceil(FORESIGHT_STEPS / multistep))
      .map((_, chunk) => score(line, chunk))
      .filter((value) => value !== undefined);
  const area = (score: (typeof SCORES)[string]) =>
    areaOver(
      lines.flatMap((line): Pair[] => {
        const values = early(line, score);
        if (values.length === 0) return [];
        const middle = [median(values)];
        return [line.success ? { positive: [], negative: middle } : { positive: middle, negative: [] }];
      }),
      bootstrap,
    );
  return { failures, scores: Object.fromEntries(Object.entries(SCORES).map(([name, score]) => [name, area(score)])) };
}
