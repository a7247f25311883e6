/**
 * A folder of results, readable without this program and small enough for a repository: per study STUDY.jsonl (a line
 * per cell), STUDY.json (their sums) and STUDY-*.svg, and one report.html of all studies in the folder.
 * The same results give the same bytes.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { NinaError } from '../errors.ts';
import { fileError, writeFileAtomically } from '../files.ts';
import { chartsOf } from './charts.ts';
import { type Published, renderStudies } from './report.ts';
import type { ResultLine } from './results.ts';
import type { Summary } from './summary.ts';

/** In the order of the report. */
export const STUDIES = ['main', 'ablate'] as const;

export type StudyName = (typeof STUDIES)[number];

/** Writes a study's results and the report. @throws NinaError when the folder cannot be written. */
export async function publish(folder: string, summary: Summary, lines: readonly ResultLine[]): Promise<void> {
  const at = (suffix: string) => path.join(folder, `${summary.study}${suffix}`);
  writeFileAtomically(at('.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  writeFileAtomically(at('.json'), `${JSON.stringify(summary, null, 2)}\n`);
  if (lines.length > 0) {
    // Loaded when there is something to draw: it is large.
    const { renderSvg } = await import('../eval/report/vega.ts');
    for (const [name, spec] of Object.entries(chartsOf(summary)))
      writeFileAtomically(at(`-${name}.svg`), await renderSvg(spec));
  }
  writeFileAtomically(
    path.join(folder, 'report.html'),
    renderStudies(STUDIES.flatMap((name) => readPublished(folder, name))),
  );
}

/** What the folder holds of a study: one entry or none. */
function readPublished(folder: string, study: StudyName): Published[] {
  if (!fs.existsSync(path.join(folder, `${study}.json`))) return [];
  const charts = fs.readdirSync(folder).filter((name) => name.startsWith(`${study}-`) && name.endsWith('.svg'));
  return [
    {
      summary: parse<Summary>(folder, `${study}.json`, (text) => text),
      lines: parse<ResultLine[]>(folder, `${study}.jsonl`, (text) => `[${text.trim().split('\n').join(',')}]`),
      // 'success' before 'difference': the rates are what a reader asks for first.
      charts: charts
        .sort()
        .reverse()
        .map((name) => fs.readFileSync(path.join(folder, name), 'utf8')),
    },
  ];
}

/** @throws NinaError for a file that is not what `publish` wrote. */
function parse<T>(folder: string, name: string, toJson: (text: string) => string): T {
  const file = path.join(folder, name);
  try {
    return JSON.parse(toJson(fs.readFileSync(file, 'utf8')));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw fileError(`Could not read ${file}`, cause);
    throw new NinaError(
      `${file} is not as 'nina reproduce' writes it: ${cause.message}. Delete it and run that again.`,
      {
        cause,
      },
    );
  }
}
