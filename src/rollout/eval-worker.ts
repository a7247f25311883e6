/** Worker thread: closed-loop episodes with one simulator and one policy of its own. */
import { type NodeDevice, onnxruntime } from '../engine/index.ts';
import { serveJobs } from '../jobs/index.ts';
import { knows, loadPolicy, viewsOf } from '../policy/index.ts';
import { asking, disturbed, playedTask, requestOf, sceneName, TabletopEnvironment } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';
import { film } from './film.ts';
import { type Rollout, rollout } from './rollout.ts';
import type { EvaluationSettings } from './settings.ts';

export interface EvalJob {
  task: number;
  episode: number;
}

export interface WorkerSettings extends EvaluationSettings {
  /** Directory of the checkpoint. */
  checkpoint: string;
  video: boolean;
  device: NodeDevice;
}

export interface EvalResult extends Rollout {
  engine: string;
  scene: string;
  /** What was asked, where it was not the task's own instruction. */
  instruction?: string;
  /** An animated PNG. */
  video?: Uint8Array;
}

serveJobs<WorkerSettings, EvalJob, EvalResult>(async ({ checkpoint, video, device, ...settings }) => {
  const { suite, seed, instruct, multistep, temperature, backend, best_of: bestOf, consistent } = settings;
  const tasks = loadSuite(suite);
  const policy = await loadPolicy(checkpoint, { backend, engine: onnxruntime({ device }) });
  const views = viewsOf(policy.config);
  const known = (text: string) => knows(policy.config, text);
  let open: { scene: string; environment: TabletopEnvironment } | undefined;
  return async ({ task: index, episode }) => {
    const task = tasks[index];
    const played = playedTask(task, { ...settings, episode, knows: known });
    if (!played) throw new Error(`Task ${task.name} cannot be disturbed by ${settings.perturbation}.`);
    const scene = sceneName(played);
    if (open?.scene !== scene) {
      open?.environment[Symbol.dispose]();
      open = undefined;
      open = { scene, environment: await TabletopEnvironment.open(played, { views }) };
    }
    const { environment } = open;
    const pictures = video ? film(environment, views) : undefined;
    const request = instruct && requestOf(task, tasks, { instruct, episode, knows: known });
    if (instruct && !request) throw new Error(`Of task ${task.name} '${instruct}' cannot be asked.`);
    const world = settings.perturbation
      ? disturbed(environment, settings.perturbation, { episode, seed })
      : request
        ? asking(environment, request)
        : environment;
    const result = await rollout(world, policy, {
      ...{ episode, seed, multistep, temperature, bestOf, consistent, onStep: pictures?.shoot },
    });
    const { engineVersion, sceneHash } = environment;
    const instruction = request?.instruction;
    return { ...result, engine: engineVersion, scene: sceneHash, instruction, video: pictures?.finish() };
  };
});
