/** Closed-loop evaluation: rollouts, worker threads, intervals, reports; and recording and replaying demonstrations. */
export { type RecordingOptions, recordDemonstrations, type SuiteRecording } from './demonstrations.ts';
export { type EpisodeLine, type Evaluation, type Rate, summarize, type TaskResult } from './episodes.ts';
export { type EvaluationResult, type EvaluationRun, evaluate, evaluationSchema } from './evaluate.ts';
export { type Attempt, recordAttempt } from './record.ts';
export { type Replay, replay } from './replay.ts';
export { renderReport } from './report/page.ts';
export { writeReport } from './report/write.ts';
export { type Actor, type PolicyInput, policyInput, type Rollout, type RolloutOptions, rollout } from './rollout.ts';
export { percentile, wilson } from './wilson.ts';
