/**
 * Progress on stderr: one line that rewrites itself on a terminal, otherwise a plain line now and then.
 * Results never go here.
 */

/** Between two plain lines, when stderr is no terminal. */
const PLAIN_INTERVAL_MS = 10_000;

/** Tells what a person should know once. */
export const notice = (text: string): void => void process.stderr.write(`${text}\n`);

export interface Progress {
  /** `done` units are done; `note` says what they add up to. */
  update(done: number, note: string): void;
  /** Prints the final line. */
  end(note: string): void;
}

/** @param done units already done when the work starts (resumed work must not flatter the estimate) */
export function createProgress(label: string, total: number, done = 0): Progress {
  const start = performance.now();
  const status = createStatus(PLAIN_INTERVAL_MS);
  return {
    update(now, note) {
      const ms = performance.now();
      const left = now > done ? ((ms - start) / (now - done)) * (total - now) : undefined;
      status.show(`${label}: ${now}/${total}, ${note}${left === undefined ? '' : `, ${duration(left)} left`}`);
    },
    end(note) {
      status.keep(`${label}: ${note} in ${duration(performance.now() - start)}`);
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
