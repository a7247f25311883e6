/** Jobs on threads and processes, on the compiled package (Node 20 runs no TypeScript in workers). */
import { describe, expect, test } from 'vitest';
import { NinaError } from '../../src/errors.ts';
import { type Outcome, runJobs, spread } from '../../src/jobs/index.ts';

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

describe('processes', () => {
  /** What became of each job: its result, or what its failure says. */
  async function outcomes(jobs: Iterable<unknown>, options: Partial<Parameters<typeof spread>[0]> = {}) {
    const became: unknown[] = [];
    await spread({
      ...{ module, data: { offset: 1 }, jobs, as: 'processes', workers: 2 },
      ended(index, outcome: Outcome<unknown>) {
        became[index] = 'error' in outcome ? outcome.error.message : outcome.result;
      },
      ...options,
    });
    return became;
  }

  test('a job that fails does not stop the others, and says how it ended', async () => {
    const [square, sentence, defect, killed, died, last] = await outcomes([2, 'sentence', 'defect', 'kill', 'die', 3]);
    expect([square, last]).toEqual([5, 10]);
    expect(sentence).toBe('This job cannot be done.');
    expect(defect).toMatch(/^A worker failed: TypeError/);
    expect(killed).toBe('Its process was ended by SIGKILL (out of memory?).');
    expect(died).toBe('Its process ended without a word.');
  });

  test('each job has a process of its own, begun when its turn comes', async () => {
    const begun: number[] = [];
    function* jobs() {
      for (let i = 0; i < 3; i++) {
        begun.push(i);
        yield 'pid';
      }
    }
    const left: number[] = [];
    const pids: unknown[] = [];
    await outcomes(jobs(), {
      workers: 1,
      ended: async (_, outcome) => {
        left.push(begun.length);
        pids.push('result' in outcome && outcome.result);
      },
    });
    expect(left).toEqual([1, 2, 3]);
    expect(new Set(pids).size).toBe(3);
    expect(pids).not.toContain(process.pid);
  });

  test('an abort lets the job under way save what it has, and begins no other', async () => {
    const controller = new AbortController();
    const stages: string[] = [];
    const progress = (_: number, { stage }: { stage: string }) => {
      stages.push(stage);
      controller.abort();
    };
    const became = await outcomes(['long', 2], { workers: 1, signal: controller.signal, progress });
    expect(became).toEqual(['saved']);
    expect(stages).toEqual(['waiting']);
  });

  test('what the listener throws stops the others and is thrown', async () => {
    const ended = () => {
      throw new NinaError('The disk is full.');
    };
    await expect(outcomes(['long', 2], { ended })).rejects.toThrow('The disk is full.');
  });
});
