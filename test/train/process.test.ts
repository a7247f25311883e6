/** Training as a process that users start, kill, interrupt and run out of disk with. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nina, ninaJson } from '../cli/nina.ts';
import { writeDemonstrations } from '../support/demonstrations.ts';

const entry = path.join(import.meta.dirname, '../../dist/cli/nina.js');

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'train-process-'));
  await writeDemonstrations(at('demos'), 6);
  fs.writeFileSync(
    at('small.yaml'),
    [
      '# A flow small enough for tests.',
      `data: ${at('demos')}`,
      'decoder: { n_layers: 2, affine_dim: 16 }',
      'encoder: { dim: 16, dropout: 0.1 }',
      'training:',
      '  batch_size: 8',
      '  max_steps: 60',
      '  learning_rate: 0.001',
      '  validate_every: 20',
      '  checkpoint_every: 7',
      '  log_every: 10',
    ].join('\n'),
  );
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const trained = (run: string, ...args: string[]) => ninaJson('train', at('small.yaml'), '--out', at(run), ...args);
const begin = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [entry, 'train', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });

/** Resolves when the file has appeared or changed since `before`. */
async function changed(file: string, before: number): Promise<void> {
  while ((fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= before) await sleep(2);
}

/** metrics.jsonl without what measures the machine. */
const record = (run: string) =>
  fs
    .readFileSync(at(run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), steps_per_s: 0 }));

test('the number of threads does not show in the bits', () => {
  // Dropout in encoder and decoder, and shards of 4 and 3 rows.
  const settings = ['--max_steps', '30', '--batch_size', '7', '--set', 'dropout=0.1'];
  const states = [1, 2, 3].map((workers) => {
    trained(`by-${workers}`, ...settings, '--workers', `${workers}`);
    return fs.readFileSync(at(`by-${workers}`, 'state.safetensors'));
  });
  for (const state of states) expect(state.equals(states[0])).toBe(true);
});

test('killed at any moment and resumed, with more or fewer threads, a run computes the same bits', async () => {
  trained('whole', '--workers', '1');
  const state = at('killed', 'state.safetensors');
  // The first kill may come before anything was saved; the later ones after some checkpoint, at no particular moment.
  for (const delayMs of [0, 20, 55]) {
    const before = fs.statSync(state, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const how = delayMs === 0 ? [at('small.yaml'), '--out', at('killed')] : ['--resume', at('killed')];
    const child = begin(...how, '--workers', delayMs === 20 ? '1' : '2');
    await changed(delayMs === 0 ? at('killed', 'recipe.yaml') : state, delayMs === 0 ? 0 : before);
    await sleep(delayMs);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  expect(record('killed').at(-1)?.step ?? 0).toBeLessThan(60);
  const { code, stderr } = nina('train', '--resume', at('killed'));
  expect(code).toBe(0);
  expect(stderr).toMatch(/Took over .* from process \d+, which is gone/);
  expect(record('killed')).toEqual(record('whole'));
  const same = (...file: string[]) =>
    fs.readFileSync(at('killed', ...file)).equals(fs.readFileSync(at('whole', ...file)));
  expect(same('state.safetensors')).toBe(true);
  for (const file of ['model.safetensors', 'config.json', 'stats.json', 'manifest.json'])
    expect(same('checkpoints', '60', file)).toBe(true);
});

test('nina inspect runs the self-test and says how the policy is driven', () => {
  const { code, stdout } = nina('inspect', at('whole'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/trained +60 steps, seed 0/);
  expect(stdout).toMatch(/self-test +passed/);
  expect(stdout).toMatch(/6 +gripper +\[-1, 1\] +\+1 = 1 open\/close +positive: close/);
  expect(ninaJson('inspect', at('whole'))).toMatchObject({ step: 60, self_test: 'passed' });
});

test.each(['SIGHUP', 'SIGTERM'] as const)('%s saves a checkpoint like Ctrl-C', async (signal) => {
  const child = begin(at('small.yaml'), '--out', at(signal), '--max_steps', '100000');
  child.stderr!.resume();
  await changed(at(signal, 'state.safetensors'), 0);
  child.kill(signal);
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(fs.readdirSync(at(signal))).not.toContain('.lock');
  const [step] = fs
    .readdirSync(at(signal, 'checkpoints'))
    .map(Number)
    .sort((a, b) => b - a);
  expect(ninaJson('train', '--resume', at(signal), '--max_steps', step + 1)).toMatchObject({ steps: step + 1 });
});

test('Ctrl-C saves a checkpoint and says how to go on; two processes do not share a folder', async () => {
  const child = begin(at('small.yaml'), '--out', at('interrupted'), '--max_steps', '100000');
  let stderr = '';
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  await changed(at('interrupted', 'state.safetensors'), 0);
  const second = nina('train', '--resume', at('interrupted'));
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(new RegExp(`in use by process ${child.pid} `));
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  expect(code).toBe(1);
  const [, step] = /Stopped after step (\d+) of 100000; saved .*\. Go on with: nina train --resume /.exec(stderr)!;
  expect(fs.existsSync(at('interrupted', 'checkpoints', step, 'manifest.json'))).toBe(true);
  const resumed = ninaJson('train', '--resume', at('interrupted'), '--max_steps', Number(step) + 1);
  expect(resumed).toMatchObject({ steps: Number(step) + 1 });
});

describe('wrong usage is exit code 2, told with its place', () => {
  const refused = (...args: string[]) => {
    const { code, stdout, stderr } = nina('train', ...args, '--out', at('refused'));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(fs.existsSync(at('refused'))).toBe(false);
    return stderr;
  };
  const recipe = (text: string) => {
    fs.writeFileSync(at('bad.yaml'), `data: ${at('demos')}\n${text}\n`);
    return at('bad.yaml');
  };

  test('an unknown key and a wrong type in a recipe', () => {
    const stderr = refused(recipe('decoder:\n  n_layer: 3\n  use_plu: maybe\nn_layers: 3'));
    expect(stderr).toMatch(
      /bad.yaml:3: unknown key 'decoder.n_layer'; did you mean 'decoder.n_layers'\? Allowed: name, backbone, n_layers,/,
    );
    expect(stderr).toMatch(/bad.yaml:4: decoder.use_plu: expected boolean, received string; got "maybe"/);
    expect(stderr).toMatch(/bad.yaml:5: n_layers belongs under 'decoder:'\./);
  });

  test('an odd T with trans, from flags and from a recipe', () => {
    const odd = /chunk_length must be even; got chunk_length 9 with backbone trans/;
    expect(refused(at('small.yaml'), '--backbone', 'trans', '--set', 'chunk_length=9')).toMatch(odd);
    expect(refused(recipe('decoder: { backbone: trans, chunk_length: 9 }'))).toMatch(odd);
  });

  test('no data, an unknown flag, settings beside --resume', () => {
    expect(refused('--n_layers', '2')).toMatch(/Training needs demonstrations: give --data FOLDER/);
    expect(refused(at('small.yaml'), '--layers', '2')).toMatch(/unknown option '--layers'/);
    const { code, stderr } = nina('train', '--resume', at('whole'), '--seed', '3');
    expect(code).toBe(2);
    expect(stderr).toMatch(/only --max_steps and --data may be given with it, not seed/);
  });
});

describe('a full disk', () => {
  /** Files left behind by interrupted writing. */
  const drafts = (folder: string) =>
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp'));

  test('a limit on file sizes: a sentence, and the last state stays whole', () => {
    trained('limited', '--max_steps', '7');
    const before = fs.readFileSync(at('limited', 'state.safetensors'));
    const resume = `ulimit -f 20; exec '${process.execPath}' '${entry}' train --resume '${at('limited')}' --max_steps 14`;
    const { status, stderr } = spawnSync('bash', ['-c', resume], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Could not write .*: it is more than you may write .*ulimit -f/);
    expect(stderr).not.toMatch(/at .*\.js:\d+/);
    expect(before.equals(fs.readFileSync(at('limited', 'state.safetensors')))).toBe(true);
    expect(drafts(at('limited'))).toEqual([]);
    expect(ninaJson('train', '--resume', at('limited'), '--max_steps', 14)).toMatchObject({ steps: 14 });
  });

  const inTmpfs = (size: string, command: string) =>
    spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=${size} none '${at('disk')}' && ${command}`], {
      encoding: 'utf8',
    });
  const canMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', os.tmpdir()]).status === 0;

  // Needs user namespaces; where they are forbidden, the limit above is the nearest real failure.
  test.skipIf(!canMount)('ENOSPC from a real small disk', () => {
    fs.mkdirSync(at('disk'));
    const train = `'${process.execPath}' '${entry}' train '${at('small.yaml')}' --out '${at('disk', 'run')}'`;
    const { stdout, stderr } = inTmpfs('300k', `{ ${train}; echo "code $?"; find '${at('disk')}' -name '*.tmp'; }`);
    const told = /Could not write .*: the disk is full. Free some space, then go on with: nina train --resume \S+/;
    expect(stderr).toMatch(told);
    expect(stdout).toBe('code 1\n');
  });

  test.skipIf(!canMount)('after the disk has space again, the command that was named goes on', () => {
    fs.mkdirSync(at('filled'));
    const script = `
      mount -t tmpfs -o size=4m none '${at('filled')}'
      head -c 3900000 /dev/zero > '${at('filled', 'ballast')}'
      '${process.execPath}' '${entry}' train '${at('small.yaml')}' --out '${at('filled', 'run')}' 2> '${at('full.log')}'
      rm '${at('filled', 'ballast')}'
      $(sed -n "s#.*then go on with: nina #'${process.execPath}' '${entry}' #p" '${at('full.log')}' | tr -d "'") 2>&1 >&2
      ls '${at('filled', 'run', 'checkpoints')}'`;
    const { stdout } = spawnSync('unshare', ['-rm', 'sh', '-c', script], { encoding: 'utf8' });
    expect(fs.readFileSync(at('full.log'), 'utf8')).toMatch(/the disk is full/);
    expect(stdout.trim().split('\n').at(-1)).toBe('60');
  });
});
