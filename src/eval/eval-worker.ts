/** Worker thread: closed-loop episodes with one simulator and one policy of its own. */
import { loadPolicy } from '../policy/index.ts';
import { createAnimation } from '../sim/camera/index.ts';
import { CONTROL_HZ, Environment, loadSuite } from '../sim/index.ts';
import { createEyes } from './eyes.ts';
import { serveJobs } from './pool.ts';
import { type Rollout, rollout } from './rollout.ts';

export interface EvalJob {
  task: number;
  episode: number;
}

export interface EvalSettings {
  /** Directory of the checkpoint. */
  checkpoint: string;
  suite: string;
  seed: number;
  multistep: number;
  temperature: number;
  video: boolean;
}

export interface EvalResult extends Rollout {
  engine: string;
  scene: string;
  /** An animated PNG. */
  video?: Uint8Array;
}

/** Every second control step is shown: 10 pictures a second, in real time. */
const STEPS_PER_FRAME = 2;

serveJobs<EvalSettings, EvalJob, EvalResult>(async ({ checkpoint, suite, video, ...settings }) => {
  const tasks = loadSuite(suite);
  const policy = await loadPolicy(checkpoint, { threads: 1 });
  let environment: Environment | undefined;
  return async ({ task, episode }) => {
    if (environment?.task.index !== task) {
      environment?.[Symbol.dispose]();
      environment = undefined;
      environment = await Environment.open(tasks[task]!);
    }
    const pictures = video ? film(environment) : undefined;
    const result = await rollout(environment, policy, { ...settings, episode, onStep: pictures?.shoot });
    const { engineVersion, sceneHash } = environment;
    return { ...result, engine: engineVersion, scene: sceneHash, video: pictures?.finish() };
  };
});

function film(environment: Environment) {
  const eyes = createEyes(environment);
  const animation = createAnimation(eyes.width, eyes.height, CONTROL_HZ / STEPS_PER_FRAME);
  let frame: Uint8Array | undefined;
  let step = 0;
  return {
    shoot: () => {
      if (step++ % STEPS_PER_FRAME !== 0) return;
      frame = eyes.agentview(frame);
      animation.add(frame);
    },
    finish: () => animation.finish(),
  };
}
