/**
 * What a density is good for, measured in closed loop, four questions of one checkpoint:
 *   choice      does executing the most likely of K samples raise success over one sample, and over z = 0?
 *   seams       does choosing samples that continue the previous chunk smooth the seams between chunks?
 *   detection   does a score tell disturbed episodes from the same episodes undisturbed?
 *   foresight   does it tell, in the first seconds of an undisturbed episode, that it will fail?
 * Each condition is an evaluation of its own, all in one folder, so that an interrupted study continues.
 */
import { UsageError } from '../errors.ts';
import { hasDensity, knows, readCheckpoint } from '../policy/index.ts';
import { asStage, SILENT } from '../progress.ts';
import { fold, key } from '../random.ts';
import { type EpisodeLine, successRate } from '../rollout/episodes.ts';
import { type EvaluationResult, type EvaluationRun, evaluate } from '../rollout/evaluate.ts';
import { playedTask } from '../sim/index.ts';
import { PERTURBATIONS } from '../sim/perturbations.ts';
import { chooseTasks } from '../sim/suites.ts';
import { type Mean, mean, type Rate } from '../statistics/index.ts';
import { type Detection, detection, type Foresight, foresight } from './detection.ts';

const BEST_OF = [4, 16] as const;
/** Among how many samples consistency is sought. */
const CONSISTENT_OF = 16;

export interface StudySettings {
  suite: string;
  task?: number;
  /** Per task and condition. */
  episodes: number;
  seed: number;
}

export interface Acting extends Rate {
  /** 'z = 0', '1 sample', 'best of 16', ... */
  name: string;
  multistep: number;
  latency_ms: number;
}

export interface Seams extends Acting {
  /** Means over episodes of each one's mean; 95% intervals of the mean. */
  seam_jump_m: Mean;
  inside_jump_m: Mean;
  seam_acceleration: Mean;
  inside_acceleration: Mean;
}

export interface LikelihoodStudy extends StudySettings {
  checkpoint: string;
  choice: Acting[];
  seams: Seams[];
  detection: Detection[];
  foresight: (Foresight & { name: string; multistep: number; n: number })[];
}

/** @throws UsageError for a policy without density. @throws NinaError as `evaluate` does. */
export async function studyLikelihood(
  settings: StudySettings,
  { report = SILENT, ...run }: EvaluationRun,
): Promise<LikelihoodStudy> {
  const { directory, config } = readCheckpoint(run.checkpoint);
  if (!hasDensity(config))
    throw new UsageError(`${directory} has a ${config.decoder.name} decoder: it has no likelihood to study.`);
  const known = (category: string) => knows(config, category);
  const { chunk_length: chunkLength } = config.decoder;
  const half = Math.max(1, Math.floor(chunkLength / 2));
  const ways = (multistep: number, bestOf: readonly number[]) => [
    { name: 'z = 0', multistep, temperature: 0 },
    { name: '1 sample', multistep, temperature: 1 },
    ...bestOf.map((K) => ({ name: `best of ${K}`, multistep, temperature: 1, best_of: K })),
  ];
  const choices = ways(chunkLength, BEST_OF);
  const continued = { name: `consistent of ${CONSISTENT_OF}`, multistep: half, temperature: 1 };
  const seamed = [...ways(half, [CONSISTENT_OF]), { ...continued, best_of: CONSISTENT_OF, consistent: true as const }];
  const tasks = chooseTasks(settings.suite, settings.task);
  const possible = PERTURBATIONS.filter((perturbation) =>
    tasks.some((task) => playedTask(task, { perturbation, seed: settings.seed, episode: 0, knows: known })),
  );
  const disturbances = [chunkLength, half].flatMap((multistep) =>
    possible.map((perturbation) => ({ name: `z = 0, ${perturbation}`, multistep, temperature: 0, perturbation })),
  );
  const total = choices.length + seamed.length + disturbances.length;
  let index = 0;
  const results = async <W extends { name: string }>(conditions: readonly W[]) => {
    const out: (W & { result: EvaluationResult })[] = [];
    for (const condition of conditions) {
      const { name, ...how } = condition;
      const stage = `${++index}/${total} ${name}`;
      const result = await evaluate({ ...settings, ...how }, { ...run, report: asStage(stage, report) });
      out.push({ ...condition, result });
    }
    return out;
  };
  const chosen = await results(choices);
  const smooth = await results(seamed);
  const disturbed = await results(disturbances);
  const undisturbed = { [chunkLength]: chosen[0].result, [half]: smooth[0].result };
  const bootstrap = fold(key(settings.seed), 'bootstrap');
  return {
    ...settings,
    checkpoint: directory,
    choice: chosen.map(acting),
    seams: smooth.map((condition) => ({ ...acting(condition), ...seamsOf(condition.result.lines) })),
    detection: disturbed.map(({ perturbation, multistep, result }) =>
      detection(perturbation, result, undisturbed[multistep], bootstrap),
    ),
    foresight: [...chosen, ...smooth].flatMap(({ name, multistep, result }) => {
      const found = foresight(result, bootstrap);
      return found ? [{ name, multistep, n: result.n, ...found }] : [];
    }),
  };
}

function acting({ name, multistep, result }: { name: string; multistep: number; result: EvaluationResult }): Acting {
  return { name, multistep, ...successRate(result.lines), latency_ms: result.latency_ms.p50 };
}

function seamsOf(lines: readonly EpisodeLine[]): Omit<Seams, keyof Acting> {
  const over = (pick: (line: EpisodeLine) => readonly number[] | undefined) =>
    mean(
      lines.flatMap((line) => {
        const values = pick(line) ?? [];
        return values.length === 0 ? [] : [average(values)];
      }),
    );
  return {
    seam_jump_m: over((line) => line.seam_jump_m),
    inside_jump_m: over((line) => [line.inside_jump_m ?? Number.NaN]),
    seam_acceleration: over((line) => line.seam_acceleration),
    inside_acceleration: over((line) => [line.inside_acceleration ?? Number.NaN]),
  };
}

const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
