/**
 * Errors a user can act on. Every message says what failed, what was wanted, what came, and what to do.
 * The command line prints the message alone (no stack) and exits with `exitCode`.
 */

/** The work failed: a bad file, a failed check, a diverged run. Exit code 1. */
export class NinaError extends Error {
  override readonly name: string = 'NinaError';
  readonly exitCode: 1 | 2 = 1;
}

/** The request itself was wrong: an unknown flag, key or value. Exit code 2. */
export class UsageError extends NinaError {
  override readonly name = 'UsageError';
  override readonly exitCode = 2;
}
