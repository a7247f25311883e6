/**
 * Progress on stderr: one line that rewrites itself on a terminal, otherwise a plain line now and then.
 * Results never go here.
 */

/** Between two plain lines, when stderr is no terminal. */
const PLAIN_INTERVAL_MS = 10_000;

export interface Progress {
  /** `done` units are done; `note` says what they add up to. */
  update(done: number, note: string): void;
  /** Prints the final line. */
  end(note: string): void;
}

/** @param done units already done when the work starts (resumed work must not flatter the estimate) */
export function createProgress(label: string, total: number, done = 0): Progress {
  const { stderr } = process;
  const start = performance.now();
  let lastMs = start;
  const line = (text: string) => stderr.write(stderr.isTTY ? `\r\x1b[2K${text}` : `${text}\n`);
  return {
    update(now, note) {
      const ms = performance.now();
      if (!stderr.isTTY && ms - lastMs < PLAIN_INTERVAL_MS) return;
      lastMs = ms;
      const left = now > done ? ((ms - start) / (now - done)) * (total - now) : undefined;
      line(`${label}: ${now}/${total}, ${note}${left === undefined ? '' : `, ${duration(left)} left`}`);
    },
    end(note) {
      line(`${label}: ${note} in ${duration(performance.now() - start)}\n`.replace(/\n$/, stderr.isTTY ? '\n' : ''));
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
