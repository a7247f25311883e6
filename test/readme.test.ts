/** The README's program, as pasted: in a clone after a quickstart, and in a project that installed the package. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ninaJson } from './cli/nina.ts';

const root = path.dirname(import.meta.dirname);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'readme-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const programs = [...fs.readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)];
const [program] = programs.map(([, code]) => code);

beforeAll(() => {
  // What a quickstart leaves, of less work: a policy that knows the words and things of the first task.
  const demos = path.join(folder, 'demos');
  ninaJson('demos', '--suite', 'tabletop-object', '--task', 0, '--episodes', 2, '--seed', 0, '--out', demos);
  const sizes = ['--max_steps', 2, '--n_layers', 2, '--batch_size', 8];
  ninaJson('train', '--data', demos, ...sizes, '--out', path.join(folder, 'run'));
});

test('there is one program, of about a dozen lines', () => {
  expect(programs.length).toBe(1);
  expect(program.split('\n').filter((line) => line.trim() !== '').length).toBeLessThan(15);
});

test.each(['clone', 'project'])('it acts in a %s', (where) => {
  const at = (name: string) => path.join(folder, where, name);
  fs.mkdirSync(at('quickstart'), { recursive: true });
  fs.symlinkSync(path.join(folder, 'run'), at('quickstart/run'));
  if (where === 'clone') {
    fs.copyFileSync(path.join(root, 'package.json'), at('package.json'));
    fs.symlinkSync(path.join(root, 'dist'), at('dist'));
  } else {
    fs.mkdirSync(at('node_modules'));
    fs.symlinkSync(root, at('node_modules/nina-vla'), 'junction');
  }
  fs.writeFileSync(at('act.mjs'), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['act.mjs'], {
    cwd: path.join(folder, where),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^"pick up the alphabet soup and place it in the basket": (not )?done after \d+ steps\n$/);
});
