/** Mistakes that everybody makes with paths and pipes: one sentence that names the path, and no stack. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDemonstrations } from '../support/demonstrations.ts';
import { saveRandomPolicy } from '../support/policy.ts';
import { nina } from './nina.ts';

const entry = path.join(import.meta.dirname, '../../dist/cli/nina.js');

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
const LONG = 'a'.repeat(300);

beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'mistakes-'));
  await writeDemonstrations(at('demos'), 4);
  fs.mkdirSync(at('folder'));
  fs.mkdirSync(at('folders', 'x.hdf5'), { recursive: true });
  fs.writeFileSync(at('file'), 'x');
  fs.symlinkSync('loop', at('loop'));
  spawnSync('mkfifo', [at('fifo')]);
  const tiny = [
    'decoder: { n_layers: 2, affine_dim: 16 }',
    'encoder: { dim: 16 }',
    'training: { batch_size: 8, max_steps: 3 }',
  ];
  fs.writeFileSync(at('tiny.yaml'), `${tiny.join('\n')}\n`);
  await saveRandomPolicy(at('policy'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const train = (...rest: string[]) => ['train', at('tiny.yaml'), '--data', at('demos'), ...rest];
const one = ['--suite', 'tabletop-goal', '--task', '0', '--episodes', '1', '--seed', '1'];

describe('a path that is not what is wanted', () => {
  test.each<[name: string, args: () => string[], told: RegExp]>([
    ['a recipe that is a folder', () => ['train', at('folder'), '--data', at('demos')], /folder: it is a folder/],
    ['a recipe that is a circle of links', () => ['train', at('loop'), '--data', at('demos')], /loop: .*in a circle/],
    ['a run that is a file', () => train('--out', at('file')), /file: a file of that name is in the way/],
    ['a run below a file', () => train('--out', at('file', 'r')), /a part of the path is a file/],
    ['a name that is too long', () => train('--out', at(LONG)), /the name is too long/],
    ['data that is a circle', () => ['train', at('tiny.yaml'), '--data', at('loop'), '--out', at('r')], /loop/],
    ['data that is a folder called x.hdf5', () => train('--data', at('folders'), '--out', at('r')), /holds no .hdf5/],
    ['recording into a file', () => ['demos', ...one, '--out', at('file')], /a file of that name is in the way/],
    ['results into a file', () => ['eval', at('policy'), ...one, '--out', at('file')], /is in the way/],
    [
      'results into a checkpoint',
      () => ['eval', at('policy'), ...one, '--out', at('policy', 'r')],
      /lies in the checkpoint/,
    ],
    ['no checkpoint', () => ['inspect', at('folder')], /folder is no checkpoint/],
    ['replaying a folder', () => ['replay', at('folder'), '--demo', '0'], /folder/],
    ['parity of a folder', () => ['parity', at('folder')], /folder: it is a folder/],
    ['a model over a folder', () => ['export', at('policy'), '--onnx', at('folder')], /folder: it is a folder/],
    [
      'a model over a FIFO',
      () => ['export', at('policy'), '--onnx', at('fifo')],
      /fifo: it is a FIFO, and a file is wanted/,
    ],
    [
      'a model into a checkpoint',
      () => ['export', at('policy'), '--onnx', at('policy', 'm')],
      /lies in the checkpoint/,
    ],
    ['a quickstart in a file', () => ['quickstart', '--out', at('file')], /file/],
    ['resuming a file', () => ['train', '--resume', at('file')], /file holds no training run/],
  ])('%s', (_, args, told) => {
    const { code, stdout, stderr } = nina(...args());
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect(code === 1 || code === 2).toBe(true);
    expect(stdout).toBe('');
    expect(fs.readFileSync(at('file'), 'utf8')).toBe('x');
    expect(fs.readdirSync(dir).sort()).toEqual([
      'demos',
      'fifo',
      'file',
      'folder',
      'folders',
      'loop',
      'policy',
      'tiny.yaml',
    ]);
  });
});

describe('a recipe of the former flat form', () => {
  const flat = 'decoder: flower\ndit_dim: 64\nbatch_size: 8\nmax_steps: 3\n';

  test('is told line by line where each setting stands now', () => {
    fs.mkdirSync(at('flat'));
    fs.writeFileSync(at('flat', 'a.yaml'), flat);
    const { code, stdout, stderr } = nina(
      'train',
      at('flat', 'a.yaml'),
      '--data',
      at('demos'),
      '--out',
      at('flat', 'r'),
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.replaceAll(at('flat'), '.').trim().split('\n').sort()).toEqual([
      `./a.yaml:1: decoder is a section, a mapping; got "flower". Write 'decoder: { name: flower }'.`,
      "./a.yaml:2: dit_dim belongs under 'decoder:'.",
      "./a.yaml:3: batch_size belongs under 'training:'.",
      "./a.yaml:4: max_steps belongs under 'training:'.",
    ]);
    expect(fs.readdirSync(at('flat'))).toEqual(['a.yaml']);
    fs.rmSync(at('flat'), { recursive: true });
  });

  test('in a run’s folder is refused in one sentence, and stays as it is', () => {
    fs.mkdirSync(at('former'));
    fs.writeFileSync(at('former', 'recipe.yaml'), flat);
    const { code, stdout, stderr } = nina('train', '--resume', at('former'));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim()).toMatch(
      /^\S+recipe\.yaml is in the form of nina-vla 0\.1, without sections: .*, or train anew\.$/,
    );
    expect(fs.readFileSync(at('former', 'recipe.yaml'), 'utf8')).toBe(flat);
    fs.rmSync(at('former'), { recursive: true });
  });
});

test('a model is written through a link, which stays', () => {
  fs.mkdirSync(at('real'));
  fs.writeFileSync(at('real', 'policy.onnx'), 'old');
  fs.symlinkSync('policy.onnx', at('real', 'link.onnx'));
  fs.symlinkSync('later.onnx', at('real', 'dangling.onnx'));
  for (const name of ['link.onnx', 'dangling.onnx'])
    expect(nina('export', at('policy'), '--onnx', at('real', name)).code).toBe(0);
  expect(fs.readdirSync(at('real')).sort()).toEqual(['dangling.onnx', 'later.onnx', 'link.onnx', 'policy.onnx']);
  expect(fs.readlinkSync(at('real', 'link.onnx'))).toBe('policy.onnx');
  expect(fs.readFileSync(at('real', 'policy.onnx')).equals(fs.readFileSync(at('real', 'later.onnx')))).toBe(true);
  fs.rmSync(at('real'), { recursive: true });
});

describe('what reads the output goes away', () => {
  const shell = (script: string) => spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  const command = (run: string) => `'${process.execPath}' '${entry}' ${train('--out', at(run)).join(' ')}`;

  test('progress that nobody reads does not stop a training, and is no failure', () => {
    const { stdout } = shell(`{ ${command('quiet')} --json 2> >(exec 0<&-); } ; echo "code $?"`);
    expect(stdout).toMatch(/"steps":3.*\ncode 0\n$/s);
    expect(shell(`set -o pipefail; ${command('head')} 2>&1 | head -c 1; echo "code $?"`).stdout).toMatch(/code 0\n$/);
    expect(fs.readdirSync(at('head', 'checkpoints'))).toEqual(['3']);
  });

  test('a long training goes on, and Ctrl-C still saves', async () => {
    const args = [entry, ...train('--out', at('long'), '--max_steps', '100000', '--set', 'checkpoint_every=5')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.destroy();
    const steps = () => (fs.existsSync(at('long', 'checkpoints')) ? fs.readdirSync(at('long', 'checkpoints')) : []);
    while (!steps().some((step) => Number(step) >= 20)) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([1, null]);
    expect(fs.readdirSync(at('long'))).not.toContain('.lock');
  });

  test('a result that cannot be written is a failure', () => {
    const { stdout, stderr } = shell(`'${process.execPath}' '${entry}' suites > /dev/full; echo "code $?"`);
    expect(stdout).toBe('code 1\n');
    expect(stderr).toMatch(/Could not write the result to stdout: the disk is full/);
    expect(
      shell(`set -o pipefail; '${process.execPath}' '${entry}' suites | head -c 1; echo "code $?"`).stdout,
    ).toMatch(/code 0/);
  });
});
