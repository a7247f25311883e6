#!/usr/bin/env node
/**
 * The `nina` command. Each subcommand is one file that registers itself and loads what it needs when it runs, so that
 * `nina --help` starts no simulator and no runtime. Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { NinaError } from '../errors.ts';
import { packageVersion } from '../version.ts';
import { registerBench } from './bench.ts';
import { registerDemos } from './demos.ts';
import { registerEval } from './eval.ts';
import { registerExport } from './export.ts';
import { registerInspect } from './inspect.ts';
import { registerParity } from './parity.ts';
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
registerTrain(program);
registerEval(program);
registerInspect(program);
registerSample(program);
registerExport(program);
registerParity(program);
registerBench(program);
registerReproduce(program);
registerStudy(program);
registerQuickstart(program);

// `nina suites | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
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
