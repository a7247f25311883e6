/** Closed-loop evaluation: rollouts over a suite in worker threads, one line per episode. */
export { type EpisodeLine, type Evaluation, evaluationOf, type TaskResult } from './episodes.ts';
export { type EvaluationResult, type EvaluationRun, evaluate, evaluationSchema } from './evaluate.ts';
export { type Rollout, type RolloutOptions, rollout } from './rollout.ts';
