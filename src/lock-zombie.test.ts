import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { lifeOf, thisProcess } from './lock-holder.ts';

const stateOf = (pid: number) => {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

test.runIf(fs.existsSync('/proc/self/stat'))('a killed process that nobody waits for holds no lock', async () => {
  // `exec` leaves the first sleep to a parent that never waits for it.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve))).toString().split('\n');
  const pid = Number(line);
  const holder = { ...thisProcess(), pid, started: stateOf(pid)[19], kernel: false };
  const file = path.join(os.tmpdir(), 'no-lock');
  try {
    expect(lifeOf(file, holder)).toBe('alive');
    process.kill(pid, 'SIGKILL');
    while (stateOf(pid)[0] !== 'Z') await sleep(5);
    expect(lifeOf(file, holder)).toBe('gone');
  } finally {
    parent.kill('SIGKILL');
  }
});
