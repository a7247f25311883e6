/** `nina reproduce`: the paper's tables, from demonstrations to report, by one command that may be stopped at any time. */
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { NinaError, UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import type { StudyName } from '../reproduce/index.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, workers } from './options.ts';

interface Options {
  recipe?: string;
  out: string;
  jobs: number;
  only: string[];
  results?: string;
  dryRun: boolean;
  tables: boolean;
  json: boolean;
}

export function registerReproduce(program: Command): void {
  program
    .command('reproduce')
    .description("train and evaluate every cell of the paper's tables; stopped, the same command goes on")
    .addArgument(
      new Argument('<study>', "main: suites x decoders; ablate: NinA's design choices").choices([
        'main',
        'ablate',
      ] satisfies StudyName[]),
    )
    .option('--recipe <file>', 'YAML file of the study (default: the one of that name in this package)')
    .option('--out <folder>', 'folder of demonstrations, trainings and reports, shared by all studies', 'reproduce')
    .option('--jobs <n>', 'cells computed at once', workers, defaultWorkers)
    .option(
      '--only <words>',
      'only cells whose name SUITE/VARIANT/SEED holds one of these comma-separated words; repeatable, all must hold',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('--results <folder>', 'also write results (JSON lines, summary, charts; no weights) to this folder')
    .option('--dry-run', 'list the cells, what is cached and how long the rest takes; compute nothing', false)
    .option('--tables', 'tables, charts and report of the cells that are finished; compute nothing', false)
    .option('--json', 'print JSON', false)
    .action(run);
}

async function run(name: StudyName, options: Options): Promise<void> {
  const library = await import('../reproduce/index.ts');
  const study = library.readStudy(
    options.recipe ?? fileURLToPath(new URL(`../../recipes/${name}.yaml`, import.meta.url)),
  );
  const cells = library.cellsOf(study, await library.presentVersions());
  const chosen = library.onlyCells(cells, options.only);
  if (chosen.length === 0)
    throw new UsageError(
      `--only ${options.only.join(' --only ')} keeps none of the ${cells.length} cells; --dry-run lists them.`,
    );
  const { createDisplay, formatList, listCells } = await import('./reproduce-display.ts');
  if (options.dryRun) {
    const listed = listCells(chosen, options);
    process.stdout.write(options.json ? `${toJson(listed)}\n` : formatList(listed, options.jobs));
    return;
  }

  const folders = [options.out, ...(options.results === undefined ? [] : [options.results])];
  const write = async () => {
    const lines = library.resultLines(name, cells, library.readResults(options.out));
    const summary = library.summaryOf({ name, ...study }, lines);
    for (const folder of folders) await library.publish(folder, summary, lines);
    return summary;
  };
  const compute = (signal: AbortSignal) => {
    const report = createDisplay(name, chosen, options, write);
    return library.reproduce(chosen, { out: options.out, width: options.jobs, signal, report });
  };
  const failures = options.tables ? [] : await interruptible(compute);
  const summary = await write();
  process.stdout.write(options.json ? `${toJson(summary)}\n` : library.markdown(summary));
  process.stderr.write(`Report: ${path.join(folders.at(-1)!, 'report.html')}\n`);
  if (failures.length > 0)
    throw new NinaError(
      [
        `${failures.length} of the trainings failed; the same command tries them again:`,
        ...failures.map(({ cells: [cell], failure }) => `  ${cell.name}: ${failure}`),
      ].join('\n'),
    );
}
