#!/usr/bin/env node
/**
 * The `nina` command. Each subcommand is one file that registers itself and loads what it needs when it runs, so that
 * `nina --help` starts no simulator and no runtime. Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { NinaError } from '../errors.ts';
import { fileError } from '../files.ts';
import { packageVersion } from '../version.ts';
import { registerBench } from './bench.ts';
import { registerDemos } from './demos.ts';
import { registerEval } from './eval.ts';
import { registerExport } from './export.ts';
import { registerImport } from './import.ts';
import { registerInspect } from './inspect.ts';
import { registerParity } from './parity.ts';
import { registerPretrain } from './pretrain.ts';
import { registerQuickstart } from './quickstart.ts';
import { registerReplay } from './replay.ts';
import { registerReproduce } from './reproduce.ts';
import { registerSample } from './sample.ts';
import { registerStudy } from './study.ts';
import { registerSuites } from './suites.ts';
import { registerTrain } from './train.ts';

const program = new Command('nina')
  .description('Train, evaluate and run Vision-Language-Action policies with normalizing-flow action decoders.')
  .version(packageVersion)
  .exitOverride()
  .showHelpAfterError('(--help lists what is possible)')
  .configureHelp({ showGlobalOptions: false });

registerSuites(program);
registerDemos(program);
registerReplay(program);
registerPretrain(program);
registerTrain(program);
registerEval(program);
registerImport(program);
registerInspect(program);
registerSample(program);
registerExport(program);
registerParity(program);
registerBench(program);
registerReproduce(program);
registerStudy(program);
registerQuickstart(program);

// `nina suites | head` closes the pipe early: that is no failure. A result that cannot be written otherwise is one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`${(fileError('Could not write the result to stdout', error) as Error).message}\n`);
  process.exitCode = 1;
});
// Progress that nobody reads any more (`2>&1 | less` and q, a log collector that died) is no reason to stop the work.
process.stderr.on('error', () => {});

try {
  await program.parseAsync();
} catch (cause) {
  // What the system refused is the user's to know; where our own sentence is missing, its words are better than a stack.
  const error = fileError(`Could not go on${pathOf(cause)}`, cause);
  if (error instanceof CommanderError) {
    // Commander has printed its message. Asking for help or the version is no mistake.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else if (error instanceof NinaError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = error.exitCode;
  } else {
    // A defect of ours: the stack is what a report needs.
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    process.exitCode = 1;
  }
}

/** The file that a system error names. */
function pathOf(cause: unknown): string {
  const { path: file } = cause as { path?: unknown };
  return typeof file === 'string' ? ` with ${file}` : '';
}
