/** A folder of results as it is read back: checked, because what is wrong in it would be drawn as a result. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as z from 'zod';
import { readJson, readJsonLines, readText } from '../json-files.ts';
import type { Published } from './report.ts';
import type { ResultLine } from './results.ts';
import { checkCounts, resultShape, trainingSchema } from './store.ts';
import type { Summary } from './summary.ts';

const share = z.number().min(0).max(1);
const rate = { n: z.int().min(1), successes: z.int().min(0), success_rate: share };

const lineSchema = z
  .looseObject({
    ...{ name: z.string(), study: z.string(), suite: z.string(), variant: z.string(), label: z.string() },
    ...{ group: z.string().optional(), seed: z.int().min(0), hash: z.string() },
    ...{ ...resultShape, ...rate, interval: z.tuple([share, share]) },
    ...trainingSchema.shape,
  })
  .superRefine(checkCounts);

const pooled = z
  .object({
    ...{ ...rate, interval: z.tuple([share, share]) },
    seeds: z.array(z.object({ seed: z.int().min(0), ...rate })),
    difference: z.object({ rate: z.number(), interval: z.tuple([z.number(), z.number()]) }).nullable(),
  })
  .nullable();

const summarySchema = z.object({
  ...{ study: z.string(), baseline: z.string(), suites: z.array(z.string()) },
  ...{ finished: z.int().min(0), cells: z.int().min(0) },
  variants: z.array(
    z.object({
      ...{ variant: z.string(), label: z.string(), group: z.string().optional() },
      parameters: z.int().nullable(),
      latency_ms: z.number().min(0).nullable(),
      training_s: z.number().min(0).nullable(),
      metrics: z.record(z.string(), z.number()),
      suites: z.array(z.object({ suite: z.string(), result: pooled })),
      average: pooled,
    }),
  ),
});

const ADVICE = "It is not as 'nina reproduce' writes it: delete it and run that again.";

/**
 * What the folder holds of a study: one entry or none.
 * @throws NinaError for a file that is not what `publish` wrote.
 */
export function readPublished(folder: string, study: string): Published[] {
  const at = (name: string) => path.join(folder, name);
  if (!fs.existsSync(at(`${study}.json`))) return [];
  const charts = fs.readdirSync(folder).filter((name) => name.startsWith(`${study}-`) && name.endsWith('.svg'));
  const lines = readJsonLines(at(`${study}.jsonl`), lineSchema, ADVICE);
  return [
    {
      summary: readJson(at(`${study}.json`), summarySchema, ADVICE) satisfies Summary,
      // Its settings are those of the version that computed it: shown, not used.
      lines: lines as unknown as ResultLine[],
      // 'success' before 'difference': the rates are what a reader asks for first.
      charts: charts
        .sort()
        .reverse()
        .map((name) => readText(at(name))),
    },
  ];
}
