import { expect } from 'vitest';
import { NinaError } from '../../src/errors.ts';

/** The message of the NinaError that `run` ends in. */
export async function message(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof NinaError)) throw error;
    return error.message;
  }
  return expect.unreachable('no error was thrown');
}
