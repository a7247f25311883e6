/**
 * Progress on stderr: one line that rewrites itself on a terminal, otherwise a plain line now and then.
 * Results never go here.
 */

import type { Reporter } from '../progress.ts';

/** Between two plain lines, when stderr is no terminal. */
const PLAIN_INTERVAL_MS = 10_000;

/** Tells what a person should know once. */
export const notice = (text: string): void => void process.stderr.write(`${text}\n`);

/** What all commands report to: a line where a stage begins, one that tells the time left, and one where it ends. */
export function createReporter(): Reporter {
  const status = createStatus(PLAIN_INTERVAL_MS);
  let now: { stage: string; startMs: number; before: number } | undefined;
  return {
    notice: status.keep,
    progress({ stage, done, total, note }) {
      const ms = performance.now();
      const begins = now?.stage !== stage;
      // Work that was done before must not flatter the estimate.
      if (!now || begins) now = { stage, startMs: ms, before: done };
      const { startMs, before } = now;
      const text = `${stage}: ${done}/${total}, ${note}`;
      if (begins && done < total) status.keep(text);
      else if (done === total) {
        status.keep(`${text} in ${duration(ms - startMs)}`);
        now = undefined;
      } else {
        const left = done > before ? ((ms - startMs) / (done - before)) * (total - done) : undefined;
        status.show(`${text}${left === undefined ? '' : `, ${duration(left)} left`}`);
      }
    },
  };
}

export interface Status {
  /** Shows a passing line, in place of the last one where the terminal can do that. */
  show(text: string): void;
  /** Prints a line that stays. */
  keep(text: string): void;
}

/** A terminal that can rewrite its line; TERM=dumb says that it cannot. */
const isRewritable = () => process.stderr.isTTY && process.env.TERM !== 'dumb';

/** @param plainIntervalMs least time between two passing lines when stderr is no terminal */
export function createStatus(plainIntervalMs: number): Status {
  const { stderr } = process;
  const rewrites = isRewritable();
  let lastMs = performance.now();
  return {
    show(text) {
      const ms = performance.now();
      if (rewrites) stderr.write(`\r\x1b[2K${text.slice(0, (stderr.columns || 80) - 1)}`);
      else if (ms - lastMs >= plainIntervalMs) {
        lastMs = ms;
        stderr.write(`${text}\n`);
      }
    },
    keep(text) {
      stderr.write(rewrites ? `\r\x1b[2K${text}\n` : `${text}\n`);
    },
  };
}

/** '8 s', '2 min 5 s', '1 h 2 min'. */
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}
