/** Demonstrations of the scripted expert: recorded, and replayed. */
export { type RecordingOptions, recordDemonstrations, type SuiteRecording } from './demonstrations.ts';
export { type Attempt, recordAttempt } from './record.ts';
export { type Replay, replay } from './replay.ts';
