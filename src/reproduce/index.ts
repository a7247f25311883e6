/** The paper's tables by one command: studies, their cells, their computation and what they add up to. */
export { type Cell, cellsOf, onlyCells, presentVersions } from './cells.ts';
export { jobMinutes, minutesLeft } from './estimate.ts';
export { publish, type StudyName } from './publish.ts';
export { pendingJobs, type ReproduceReport, readResults, reproduce } from './reproduce.ts';
export { type ResultLine, resultLines } from './results.ts';
export { readStudy, type Study } from './study.ts';
export { type Summary, summaryOf } from './summary.ts';
export { markdown } from './tables.ts';
