/** Runs the compiled command line as a user would. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as path from 'node:path';

const entry = path.join(import.meta.dirname, '../../dist/cli/nina.js');

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function nina(...args: readonly (string | number)[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args.map(String)], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/** With this text on stdin. */
export function ninaReading(input: string, ...args: readonly (string | number)[]): Outcome {
  const options = { encoding: 'utf8', input } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args.map(String)], options);
  return { code: status, stdout, stderr };
}

/** A command that must succeed: what it prints with --json. */
export function ninaJson(...args: readonly (string | number)[]) {
  const { code, stdout, stderr } = nina(...args, '--json');
  if (code !== 0) throw new Error(`nina ${args.join(' ')} exited with ${code}:\n${stderr}`);
  return JSON.parse(stdout);
}

/** Starts a command, for tests that disturb it. */
export function startNina(...args: readonly (string | number)[]): ChildProcess {
  return spawn(process.execPath, [entry, ...args.map(String)], { stdio: 'ignore' });
}
