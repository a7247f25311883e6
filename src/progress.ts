/**
 * How long work tells how far it is: training, recording, evaluations, studies and measurements say the same to whoever
 * listens: a terminal, a process that waits for another, a test.
 */

/** Where work is now. Whole in itself, so that any one may be missed. */
export interface Progress {
  /** What is being done, as a line begins: 'Training'. Another stage begins when the one before is done. */
  readonly stage: string;
  /** Units that are done, those of an earlier run that was stopped included: the first of a stage says how many. */
  readonly done: number;
  readonly total: number;
  /** What they add up to: '12 successful'. */
  readonly note: string;
}

export interface Reporter {
  /** Something a person should know once, in whole sentences. */
  notice(text: string): void;
  progress(now: Progress): void;
}

/** For work that nobody watches. */
export const SILENT: Reporter = { notice() {}, progress() {} };

/** Tells the same under another stage: work that is a part of other work. */
export const asStage = (stage: string, { notice, progress }: Reporter): Reporter => ({
  notice,
  progress: (now) => progress({ ...now, stage }),
});
