/** The worker pool, on the compiled package (Node 20 runs no TypeScript in workers). */
import { expect, test } from 'vitest';
import { NinaError } from '../../src/errors.ts';
import { runJobs } from '../../src/jobs/index.ts';

const module = new URL('./worker.mjs', import.meta.url);

async function collect(jobs: readonly unknown[], workers: number, data: unknown = { offset: 1 }, signal?: AbortSignal) {
  const results: unknown[] = [];
  for await (const result of runJobs(module, data, jobs, { workers, signal })) results.push(result);
  return results;
}

test.each([1, 2, 3, 64])('results come in order, whatever the number of workers: %i', async (workers) => {
  const jobs = Array.from({ length: 30 }, (_, i) => i);
  expect(await collect(jobs, workers)).toEqual(jobs.map((i) => i * i + 1));
});

test('no jobs need no work', async () => {
  expect(await collect([], 2)).toEqual([]);
});

test('a sentence stays a sentence, a defect brings its stack, a death is told', async () => {
  await expect(collect([1, 'sentence', 2], 2)).rejects.toThrow(new NinaError('This job cannot be done.'));
  await expect(collect([1, 'defect'], 2)).rejects.toThrow(/A worker failed: TypeError.*\n.*worker\.mjs/);
  await expect(collect([1, 'die'], 2)).rejects.toThrow(/worker stopped by itself \(exit code 3\)/);
  await expect(collect([1], 1, {})).rejects.toThrow(new NinaError('No offset was given.'));
});

test('an abort ends the work at once', async () => {
  const controller = new AbortController();
  const work = collect(['hang'], 1, { offset: 1 }, controller.signal);
  controller.abort();
  await expect(work).rejects.toThrow(/Interrupted. The same command continues/);
  await expect(collect([1], 1, { offset: 1 }, controller.signal)).rejects.toThrow(/Interrupted/);
});

test('leaving early stops the workers', async () => {
  for await (const result of runJobs(module, { offset: 0 }, [2, 'hang', 'hang'], { workers: 2 })) {
    expect(result).toBe(4);
    break;
  }
});
