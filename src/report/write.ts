/** Gathers what a report shows (episodes' videos, the run's metrics, fresh samples) and writes `report.html`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decoderOf } from '../decoders/index.ts';
import { writeFileAtomically } from '../files.ts';
import { loadPolicy, viewsOf } from '../policy/index.ts';
import type { EvaluationResult } from '../rollout/evaluate.ts';
import { ANIMATION_MIME_TYPE } from '../sim/camera/animation.ts';
import { chooseTasks } from '../sim/suites.ts';
import { packageVersion } from '../version.ts';
import { type Metric, readMetrics } from './curves.ts';
import { renderReport, type Video } from './page.ts';
import { sampleChunks } from './samples.ts';

/** The page stays small enough to mail: this many rollouts are embedded, at most half of them failures if possible. */
const VIDEOS = 12;

/**
 * Writes `report.html` into `out`, the folder of the evaluation.
 * @returns its path
 */
export async function writeReport(result: EvaluationResult, out: string): Promise<string> {
  using policy = await loadPolicy(result.checkpoint);
  const [task] = chooseTasks(result.suite).filter(({ name }) => name === result.tasks[0].task);
  const target = path.join(out, 'report.html');
  const { manifest, config } = policy;
  const { decoder } = config;
  writeFileAtomically(
    target,
    renderReport({
      title: `${decoderOf(decoder).describe(decoder)} on ${result.suite}`,
      evaluation: result,
      videos: videos(result, out),
      chunks: await sampleChunks(task, policy, { seed: result.seed, views: viewsOf(config) }),
      metrics: metricsBeside(result.checkpoint),
      facts: [
        ['checkpoint', result.checkpoint],
        ['training step', String(result.step)],
        ['parameters', manifest.parameters.toLocaleString('en')],
        ['data (sha256)', manifest.data_hash],
        ['training seed', String(manifest.seed)],
        ['evaluation seed', String(result.seed)],
        ['executed per chunk', `${result.multistep} of ${policy.chunkLength} actions`],
        ['temperature', String(result.temperature)],
        ...choiceFacts(result),
        ['backend', result.backend],
        ['simulator', `MuJoCo ${result.lines[0].engine}`],
        ['nina-vla', packageVersion],
        ['run', result.run],
      ],
    }),
  );
  return target;
}

/** What only some evaluations have. */
function choiceFacts({ best_of, consistent, perturbation }: EvaluationResult): [string, string][] {
  const how = consistent ? 'the most likely of those that continue the chunk before' : 'the most likely';
  return [
    ...(best_of === undefined ? [] : [['executed', `${how}, of ${best_of} samples`] satisfies [string, string]]),
    ...(perturbation === undefined ? [] : [['disturbance', perturbation] satisfies [string, string]]),
  ];
}

function videos({ lines, tasks }: EvaluationResult, out: string): Video[] {
  // By episode first, so that the choice spreads over the tasks.
  const filmed = lines.filter((line) => line.video !== undefined).sort((a, b) => a.episode - b.episode);
  const failures = filmed.filter((line) => !line.success);
  const successes = filmed.filter((line) => line.success);
  return [...failures.slice(0, VIDEOS / 2), ...successes, ...failures.slice(VIDEOS / 2)]
    .slice(0, VIDEOS)
    .map(({ video, task, episode, success, steps }) => ({
      ...{ episode, success, steps },
      instruction: tasks.find((t) => t.task === task)!.instruction,
      dataUri: `data:${ANIMATION_MIME_TYPE};base64,${fs.readFileSync(path.join(out, video!), 'base64')}`,
    }));
}

/** metrics.jsonl of the run whose folder holds the checkpoint (RUN/checkpoints/STEP); none for a copied checkpoint. */
function metricsBeside(checkpoint: string): Metric[] {
  const file = path.join(checkpoint, '..', '..', 'metrics.jsonl');
  return fs.existsSync(file) ? readMetrics(file) : [];
}
