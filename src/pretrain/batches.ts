/** Batches, made by a thread of their own one ahead of whoever uses them. */
import { requireAddressSpace } from '../address-space.ts';
import { openThread, THREAD_BYTES } from '../jobs/index.ts';
import type { Batch, BatchRequest, BatchSource } from './batch-worker.ts';

export interface Batches extends Disposable {
  /**
   * @param then what will be asked for next: it is begun when this batch is done
   */
  take(request: BatchRequest, then?: BatchRequest): Promise<Batch>;
}

export function openBatches(source: BatchSource): Batches {
  requireAddressSpace('A thread that renders scenes needs', THREAD_BYTES, '');
  // Compiled code: Node 20 does not run TypeScript.
  const thread = openThread(new URL('./batch-worker.js', import.meta.url), source);
  const same = (a: BatchRequest, b: BatchRequest) => JSON.stringify(a) === JSON.stringify(b);
  let ahead: { request: BatchRequest; batch: Promise<unknown> } | undefined;
  const begin = (request: BatchRequest) => {
    const batch = thread.run(request);
    // Told to who takes it; until then it must not count as unhandled.
    batch.catch(() => {});
    return { request, batch };
  };
  return {
    async take(request, then) {
      if (ahead && !same(ahead.request, request)) {
        await ahead.batch;
        ahead = undefined;
      }
      const batch = (await (ahead ?? begin(request)).batch) as Batch;
      ahead = then && begin(then);
      return batch;
    },
    [Symbol.dispose]: () => void thread.close(),
  };
}
