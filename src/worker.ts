/** What all worker threads have in common: the memory they take, and how their failures are told. */
import { NinaError } from './errors.ts';

/** V8's heap and code of a thread: what it cannot reserve ends the process. */
export const WORKER_BYTES = 640e6;

/** What ended a worker; its class is lost between threads. Node says by a code that it could not start or had no memory. */
export function workerError(cause: Error & { code?: string }): Error {
  if (cause.name === 'NinaError') return new NinaError(cause.message, { cause });
  if (cause.code?.startsWith('ERR_WORKER_'))
    return new NinaError(
      `A worker thread could not go on: ${cause.message}. Use fewer workers, or give them more memory.`,
      { cause },
    );
  return new Error(`A worker failed: ${cause}`, { cause });
}
