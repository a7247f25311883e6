/** Worker thread: closed-loop episodes with one simulator and one policy of its own. */
import { type NodeDevice, onnxruntime } from '../engine/index.ts';
import { serveJobs } from '../jobs/index.ts';
import { knows, loadPolicy, viewsOf } from '../policy/index.ts';
import { createAnimation } from '../sim/camera/animation.ts';
import { CONTROL_HZ, disturbed, PICTURE_SIZE, playedTask, sceneName, TabletopEnvironment } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';
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
  /** An animated PNG. */
  video?: Uint8Array;
}

/** Every second control step is shown: 10 pictures a second, in real time. */
const STEPS_PER_FRAME = 2;

serveJobs<WorkerSettings, EvalJob, EvalResult>(async ({ checkpoint, video, device, ...settings }) => {
  const { suite, seed, multistep, temperature, backend, best_of: bestOf, consistent } = settings;
  const tasks = loadSuite(suite);
  const policy = await loadPolicy(checkpoint, { backend, engine: onnxruntime({ device }) });
  const views = viewsOf(policy.config);
  const known = (category: string) => knows(policy.config, category);
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
    const pictures = video ? film(environment) : undefined;
    const world = settings.perturbation
      ? disturbed(environment, settings.perturbation, { episode, seed })
      : environment;
    const result = await rollout(world, policy, {
      ...{ episode, seed, multistep, temperature, bestOf, consistent, onStep: pictures?.shoot },
    });
    const { engineVersion, sceneHash } = environment;
    return { ...result, engine: engineVersion, scene: sceneHash, video: pictures?.finish() };
  };
});

function film(environment: TabletopEnvironment) {
  const { width, height } = PICTURE_SIZE;
  const animation = createAnimation(width, height, CONTROL_HZ / STEPS_PER_FRAME);
  let step = 0;
  return {
    shoot: () => {
      if (step++ % STEPS_PER_FRAME !== 0) return;
      animation.add(environment.images(['agentview']).agentview.data);
    },
    finish: () => animation.finish(),
  };
}
