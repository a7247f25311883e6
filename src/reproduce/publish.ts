/**
 * A folder of results, readable without this program and small enough for a repository: per study STUDY.jsonl (a line
 * per cell), STUDY.json (their sums) and STUDY-*.svg, and one report.html of all studies in the folder.
 * The same results give the same bytes.
 */
import * as path from 'node:path';
import { writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { chartsOf } from './charts.ts';
import { readPublished } from './published.ts';
import { renderStudies } from './report.ts';
import type { ResultLine } from './results.ts';
import type { Summary } from './summary.ts';

/** In the order of the report. */
const STUDIES = ['main', 'ablate'] as const;

export type StudyName = (typeof STUDIES)[number];

/** Writes a study's results and the report. @throws NinaError when the folder cannot be written. */
export async function publish(folder: string, summary: Summary, lines: readonly ResultLine[]): Promise<void> {
  const at = (suffix: string) => path.join(folder, `${summary.study}${suffix}`);
  writeFileAtomically(at('.jsonl'), lines.map((line) => `${toJson(line)}\n`).join(''));
  writeFileAtomically(at('.json'), `${toJson(summary, 2)}\n`);
  if (lines.length > 0) {
    // Loaded when there is something to draw: it is large.
    const { renderSvg } = await import('../report/vega.ts');
    for (const [name, spec] of Object.entries(chartsOf(summary)))
      writeFileAtomically(at(`-${name}.svg`), await renderSvg(spec));
  }
  writeFileAtomically(
    path.join(folder, 'report.html'),
    renderStudies(STUDIES.flatMap((name) => readPublished(folder, name))),
  );
}
