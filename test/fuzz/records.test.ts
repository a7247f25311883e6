/** What runs write as JSON: measurements, episodes, results, seconds, states; and observations that people send. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { readTrained } from '../../src/bench/trained.ts';
import { checkJson, parseJson } from '../../src/json.ts';
import { readText } from '../../src/json-files.ts';
import { readMetrics as readCurves } from '../../src/report/curves.ts';
import { readPublished } from '../../src/reproduce/published.ts';
import { storedTrainings } from '../../src/reproduce/store.ts';
import { summaryOf } from '../../src/reproduce/summary.ts';
import { observationFromJson, observationSchema, observationToJson, requirePicture } from '../../src/robot/index.ts';
import { readEpisodes } from '../../src/rollout/episodes.ts';
import { trainConfig } from '../../src/train/index.ts';
import { readMetrics, truncateMetrics } from '../../src/train/metrics.ts';
import { readState, requireSize, statePath, writeState } from '../../src/train/state.ts';
import { lineOf, PLAN } from '../reproduce/synthetic.ts';
import { observation } from '../support/policy.ts';
import { expectBoth, hunt, type Kind, notSound, PATIENCE_MS } from './battery.ts';
import { anyJson, anyLines } from './json.ts';
import { anySafetensors } from './safetensors.ts';

const lines = (values: readonly unknown[]) => Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
/** The whole lines of a log. */
const whole = (bytes: Buffer) => bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
const entries = (bytes: Buffer) => whole(bytes).toString('latin1').split('\n').length - 1;

const metrics = lines(
  Array.from({ length: 6 }, (_, i) => ({
    ...{ step: 10 * (i + 1), loss: 3.5 / (i + 1), grad_norm: 1e3, lr: 1e-3, steps_per_s: 12.5 },
    ...(i % 2 === 1 && { val_loss: -2, val_bits_per_dim: -0.5, val_best_of_8_mse: 0.1, val_z0_mse: 0.2 }),
  })),
);

const episodes = lines(
  Array.from({ length: 5 }, (_, episode) => ({
    ...{ run: 'ab', suite: 'tabletop-object', task: 'pick', episode, seed: 7, success: episode % 2 === 0, steps: 40 },
    ...{ latency_ms: [1.5, 2], final_state: 'f0', engine: '3.14', scene: 's', surprise: [null, 3.5], ood: [null, 0.5] },
    ...{ log_prob: [-3, 4], seam_jump_m: [0.01], inside_jump_m: 0.02, video: `pick-${episode}.png` },
  })),
);

const results = PLAN.suites.flatMap((suite) =>
  PLAN.variants.map(({ name }, i) => lineOf({ suite, variant: name, seed: 0, successes: 7 + i })),
);

const seen = observationToJson({
  ...observation,
  images: { agentview: { width: 2, height: 3, data: Uint8Array.from({ length: 18 }, (_, i) => 14 * i) } },
});

/** One file, changed as a log or as a JSON document. */
const one = (name: string, file: string, bytes: Buffer, mutate: Kind['mutate'], read: Kind['read']): Kind => ({
  ...{ name, mutate, read },
  files: () => ({ [file]: bytes }),
});
const asLog: Kind['mutate'] = (files, r) => change(files, (bytes) => anyLines(bytes, r));
const asJson: Kind['mutate'] = (files, r) => change(files, (bytes) => anyJson(bytes, r));
/** The first file is the one that changes. */
function change(files: Record<string, Buffer>, how: (bytes: Buffer) => Buffer): Record<string, Buffer> {
  const [name, bytes] = Object.entries(files)[0];
  return { ...files, [name]: how(bytes) };
}

const bytesOf = (folder: string, name: string) => fs.readFileSync(path.join(folder, name));
const ascending = (steps: readonly number[]) => steps.every((step, i) => i === 0 || step > steps[i - 1]);
/** Nothing is passed over. */
const all = (found: readonly unknown[], bytes: Buffer) =>
  found.length === entries(bytes) ? undefined : `${found.length} of ${entries(bytes)} lines were read`;

const training = (() => {
  const { data: _, ...settings } = trainConfig(new Map());
  const { suite, demonstrations, versions } = results[0];
  return { suite, demonstrations, settings, versions };
})();
const { successes, n, tasks, latency_ms, metrics: last, training_s, evaluation_s, machine } = results[0];
const result = {
  ...{ evaluation: { seed: 100, episodes: 5 }, successes, n, tasks, latency_ms, metrics: last, training_s },
  ...{ evaluation_s, backend: 'wasm', machine, parameters: 10, data_hash: 'd' },
};

const KINDS: readonly Kind[] = [
  {
    ...one('metrics', 'metrics.jsonl', metrics, asLog, (folder) => {
      const found = readMetrics(folder);
      if (!ascending(found.map(({ step }) => step))) return 'steps do not ascend';
      return notSound(found) ?? all(found, bytesOf(folder, 'metrics.jsonl'));
    }),
  },
  {
    ...one('metrics-resumed', 'metrics.jsonl', metrics, asLog, (folder) => {
      truncateMetrics(folder, 30);
      return (
        notSound(readMetrics(folder)) ??
        (readMetrics(folder).some(({ step }) => step > 30) ? 'a lost step is there' : undefined)
      );
    }),
    after: () => ({ 'metrics.jsonl': null }),
  },
  one('curves', 'metrics.jsonl', metrics, asLog, (folder) => notSound(readCurves(path.join(folder, 'metrics.jsonl')))),
  {
    ...one('episodes', 'episodes.jsonl', episodes, asLog, (folder) => {
      const found = readEpisodes(path.join(folder, 'episodes.jsonl'));
      if (
        new Set(found.map((line) => JSON.stringify([line.run, line.suite, line.task, line.episode, line.seed]))).size <
        found.length
      )
        return 'an episode counts twice';
      return notSound(found, 'it', true) ?? all(found, bytesOf(folder, 'episodes.jsonl'));
    }),
    after: (files) => ({ 'episodes.jsonl': whole(files['episodes.jsonl']) }),
  },
  one('results', 'main.jsonl', lines(results), asLog, (folder) => {
    const found = readTrained(path.join(folder, 'main.jsonl'));
    return notSound(found) ?? (found.some((one) => one.successes > one.n) ? 'more successes than rollouts' : undefined);
  }),
  {
    ...one('published', 'main.jsonl', lines(results), asLog, (folder) =>
      notSound(readPublished(folder, 'main'), 'it', true),
    ),
    files: (r) => {
      const both = { 'main.jsonl': lines(results), 'main.json': Buffer.from(JSON.stringify(summaryOf(PLAN, results))) };
      return r.int(2) === 0 ? both : { 'main.json': both['main.json'], 'main.jsonl': both['main.jsonl'] };
    },
  },
  {
    ...one('stored', 'training.json', Buffer.from(''), asJson, (folder) =>
      notSound([...storedTrainings(folder).values()].map((one) => [...one.results])),
    ),
    files: (r) => {
      const stored = ['trainings/a/training.json', 'trainings/a/evaluations/b/result.json'] as const;
      const values = [training, result].map((value) => Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
      const order = r.int(2) === 0 ? [0, 1] : [1, 0];
      return Object.fromEntries(order.map((i) => [stored[i], values[i]]));
    },
  },
  one('observation', 'stdin', Buffer.from(JSON.stringify(seen)), asJson, (folder) => {
    // As `nina sample` reads it.
    const text = readText(path.join(folder, 'stdin'));
    const found = checkJson(observationSchema, parseJson(text, 'What came on stdin'), 'What came on stdin');
    for (const [view, picture] of Object.entries(observationFromJson(found).images ?? {}))
      requirePicture(view, picture);
    return notSound(found);
  }),
  (() => {
    const folder = fs.mkdtempSync('/tmp/nina-fuzz-state-');
    const size = 12;
    const numbers = (scale: number) => Float32Array.from({ length: size }, (_, i) => scale * (i + 1));
    writeState(folder, {
      ...{ step: 7, sums: { steps: 2, loss: -3.5, gradNorm: 9 }, dataHash: '0'.repeat(64), settings: { seed: 3 } },
      optimizer: { params: numbers(1), m: numbers(-1), v: numbers(2), ema: numbers(3) },
      buffers: { 'permutation.0': [2, 0, 1], 'plu.0': [1, 0] },
    });
    const bytes = fs.readFileSync(statePath(folder));
    fs.rmSync(folder, { recursive: true });
    const mutate = anySafetensors(6);
    return one(
      'state',
      'state.safetensors',
      bytes,
      (files, r) => change(files, (content) => mutate(content, r)),
      (read) => {
        const state = readState(read);
        if (state === undefined) return 'a state that is there was not read';
        requireSize(read, state, size);
        if (!Number.isSafeInteger(state.step) || state.step < 0) return `the step is ${state.step}`;
        if (state.optimizer.v.some((v) => v < 0)) return 'a mean of squares is negative';
        for (const order of Object.values(state.buffers))
          if (`${[...order].sort((a, b) => a - b)}` !== `${order.map((_, i) => i)}`)
            return `${order} is no permutation`;
        return notSound(state);
      },
    );
  })(),
];

test.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', { timeout: PATIENCE_MS }, async (_, kind) => {
  const seen = await hunt(kind);
  expect(seen.read + seen.refused).toBeGreaterThanOrEqual(0);
  expectBoth(seen);
});
