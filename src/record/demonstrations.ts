/**
 * Records a suite's demonstrations, one file per task. Of N attempts per task the successful ones are kept, in order.
 * A finished file made with the same settings is kept as it is, so an interrupted recording continues task by task.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DemonstrationWriter, readRecordingHeader } from '../data/index.ts';
import { NinaError } from '../errors.ts';
import { sweepDrafts } from '../files.ts';
import { runJobs } from '../jobs/index.ts';
import { lockDirectory } from '../lock.ts';
import { requireOutsideCheckpoints } from '../policy/index.ts';
import { type Reporter, SILENT } from '../progress.ts';
import { CONTROL_HZ, TabletopEnvironment, type Task } from '../sim/index.ts';
import { chooseTasks } from '../sim/suites.ts';
import { packageVersion } from '../version.ts';
import type { Attempt } from './record.ts';
import type { RecordJob, RecordSettings } from './record-worker.ts';

export interface RecordingOptions {
  suite: string;
  /** Index of one task; absent: all. */
  task?: number;
  /** Attempts per task. */
  episodes: number;
  seed: number;
  /** Folder of the files. */
  out: string;
  images: boolean;
  workers: number;
  signal?: AbortSignal;
  /** Told the attempts in kept files, then each attempt. */
  report?: Reporter;
}

export interface TaskRecording {
  task: string;
  instruction: string;
  /** Attempts. */
  episodes: number;
  successes: number;
  file: string;
}

export interface SuiteRecording {
  suite: string;
  success_rate: number;
  tasks: TaskRecording[];
}

/** Everything a file's content is a function of. */
type Recipe = Readonly<Record<string, string | number | boolean>>;

/**
 * @returns attempts and successes per task
 * @throws NinaError when `out` is in use, or holds a file of the same name recorded with other settings.
 */
export async function recordDemonstrations(options: RecordingOptions): Promise<SuiteRecording> {
  const { suite, episodes, seed, out, images, workers, signal, report = SILENT } = options;
  const tasks = chooseTasks(suite, options.task);
  requireOutsideCheckpoints(out);
  using lock = await lockDirectory(out, report.notice);
  sweepDrafts(out);

  const kept = new Map<Task, number>();
  for (const task of tasks) {
    const successes = await keptSuccesses(task, options);
    if (successes !== undefined) kept.set(task, successes);
  }
  const jobs = tasks
    .filter((task) => !kept.has(task))
    .flatMap((task) => Array.from({ length: episodes }, (_, attempt): RecordJob => ({ task: task.index, attempt })));
  const settings: RecordSettings = { suite, seed, images };
  // Workers run compiled code: Node 20 does not run TypeScript.
  const module = new URL('./record-worker.js', import.meta.url);
  const attempts = runJobs<RecordJob, Attempt>(module, settings, jobs, { workers, signal });

  const total = tasks.length * episodes;
  let attempted = kept.size * episodes;
  let succeeded = [...kept.values()].reduce((sum, successes) => sum + successes, 0);
  const tell = () =>
    report.progress({ stage: `Recording ${suite}`, done: attempted, total, note: `${succeeded} successful` });
  tell();
  const successesOf = new Map(kept);
  try {
    for (const task of tasks.filter((task) => !kept.has(task))) {
      using environment = await TabletopEnvironment.open(task);
      using writer = await openWriter(environment, options);
      let successes = 0;
      for (let i = 0; i < episodes; i++) {
        const { success, demonstration } = (await attempts.next()).value as Attempt;
        if (success) {
          writer.append(demonstration);
          successes++;
          succeeded++;
        }
        attempted++;
        tell();
      }
      lock.check();
      writer.commit({ ...recipe(environment, options), successes });
      successesOf.set(task, successes);
    }
  } finally {
    await attempts.return();
  }
  return {
    suite,
    success_rate: succeeded / total,
    tasks: tasks.map((task) => ({
      task: task.name,
      instruction: task.instruction,
      episodes,
      successes: successesOf.get(task)!,
      file: demonstrationFile(task, out),
    })),
  };
}

function demonstrationFile(task: Task, out: string): string {
  return path.join(out, `${task.name}_demo.hdf5`);
}

function recipe(environment: TabletopEnvironment, { episodes, seed, images }: RecordingOptions): Recipe {
  const { task, engineVersion, sceneHash } = environment;
  return {
    suite: task.suite,
    task: task.name,
    episodes,
    seed,
    images,
    engine: engineVersion,
    scene: sceneHash,
    version: packageVersion,
  };
}

function openWriter(environment: TabletopEnvironment, options: RecordingOptions): Promise<DemonstrationWriter> {
  const { task } = environment;
  const { entities } = environment.world.observe();
  return DemonstrationWriter.open(demonstrationFile(task, options.out), {
    suite: task.suite,
    task: task.name,
    instruction: task.instruction,
    bddl: task.bddl,
    entityNames: entities.map((entity) => entity.name),
    entityCategories: entities.map((entity) => entity.category),
    environment: { control_freq: CONTROL_HZ, controller: 'OSC_POSE', engine: environment.engineVersion },
  });
}

/** Successes in the task's finished file, undefined when there is none yet. @throws NinaError when it differs. */
async function keptSuccesses(task: Task, options: RecordingOptions): Promise<number | undefined> {
  const file = demonstrationFile(task, options.out);
  if (!fs.existsSync(file)) return undefined;
  using environment = await TabletopEnvironment.open(task);
  const wanted = recipe(environment, options);
  const found = ((await readRecordingHeader(file)) ?? {}) as Recipe;
  const differences = Object.keys(wanted)
    .filter((name) => found[name] !== wanted[name])
    .map((name) => `${name} ${found[name] ?? 'unknown'} there, ${wanted[name]} now`);
  if (differences.length > 0)
    throw new NinaError(
      `${file} was recorded with other settings (${differences.join('; ')}). Choose another --out, or delete the file.`,
    );
  return found.successes as number;
}
