/**
 * What the pages and docstrings show is code that works: every @example of src/ and every block of ts or js in docs/ is
 * type-checked as TypeScript in a project that installed the package, and run there beside a small policy and its demonstrations.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ninaJson } from './cli/nina.ts';

const root = path.dirname(import.meta.dirname);
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'docs-'));
const at = (name: string) => path.join(project, name);
afterAll(() => fs.rmSync(project, { recursive: true }));

interface Example {
  /** 'src/random.ts:40' */
  readonly where: string;
  readonly language: string;
  readonly code: string;
}

/** The fenced blocks of a text. */
const blocks = (text: string, file: string): Example[] =>
  [...text.matchAll(/^```(ts|js)\n(.*?)^```$/gms)].map(({ index, 1: language, 2: code }) => ({
    where: `${file}:${text.slice(0, index).split('\n').length}`,
    language,
    code,
  }));

const sources = fs.readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' });
const shown = sources
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join('src', name))
  .sort()
  .map((file) => ({ file, text: fs.readFileSync(path.join(root, file), 'utf8') }))
  .filter(({ text }) => text.includes('@example'));
const pages = fs.readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
const examples = [
  // A docstring's lines begin with an asterisk.
  ...shown.flatMap(({ file, text }) => blocks(text.replace(/^ *\* ?/gm, ''), file)),
  ...pages.flatMap((name) => blocks(fs.readFileSync(path.join(root, 'docs', name), 'utf8'), `docs/${name}`)),
];
const named = examples.map((example, i) => ({ ...example, name: `example${i}` }));
const typed = named.filter(({ language }) => language === 'ts');

beforeAll(() => {
  fs.mkdirSync(at('node_modules/@types'), { recursive: true });
  fs.symlinkSync(root, at('node_modules/nina-vla'), 'junction');
  fs.symlinkSync(path.join(root, 'node_modules/@types/node'), at('node_modules/@types/node'), 'junction');
  fs.symlinkSync(path.join(root, 'node_modules/h5wasm'), at('node_modules/h5wasm'), 'junction');
  fs.symlinkSync(path.join(root, 'node_modules/undici-types'), at('node_modules/undici-types'), 'junction');
  fs.writeFileSync(at('package.json'), JSON.stringify({ type: 'module' }));
  for (const { name, code } of typed) fs.writeFileSync(at(`${name}.ts`), code);
  const demos = ['--suite', 'tabletop-object', '--task', 0, '--episodes', 3, '--seed', 0];
  ninaJson('demos', ...demos, '--out', at('demos/object'));
  const sizes = ['--max_steps', 2, '--n_layers', 2, '--batch_size', 8];
  ninaJson('train', '--data', at('demos/object'), ...sizes, '--out', at('runs/object'));
});

test('every @example is a block of TypeScript', () => {
  const marks = shown.map(({ text }) => text.split('@example').length - 1);
  expect(examples.filter(({ where }) => where.startsWith('src/')).length).toBe(marks.reduce((a, b) => a + b));
});

test.each([
  ...[
    'loadPolicy',
    'createSession',
    'openPolicy',
    'TabletopEnvironment.open',
    'openDemonstrations',
    'readDemonstrations',
    'openPictures',
  ],
  ...['train', 'evaluate', 'rollout', 'wasm.compile', 'cpu.compile', 'grad', 'compileWasm', 'key', 'fold'],
])('%s is shown in use', (name) => {
  const call = `${name}(`;
  expect(examples.some(({ where, code }) => where.startsWith('src/') && code.includes(call))).toBe(true);
});

test('they keep the types of the package', () => {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const how = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const args = [tsc, ...how, '--lib', 'es2022,esnext.disposable,dom', ...typed.map(({ name }) => `${name}.ts`)];
  const complaints = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' }).stdout;
  const readable = complaints.replace(/example\d+\.ts/g, (file) => {
    const found = typed.find(({ name }) => `${name}.ts` === file)!;
    return `${found.where} ${file}`;
  });
  expect(readable).toBe('');
});

test.each(named)('$where runs', ({ name, language, code }) => {
  const file = language === 'ts' ? `${name}.mjs` : `${name}.cjs`;
  // Node 20 knows neither types nor `using`.
  const runnable = language === 'ts' ? transformSync(code, { loader: 'ts', target: 'node20' }).code : code;
  fs.writeFileSync(at(file), runnable);
  const { status, stderr } = spawnSync(process.execPath, [file], { cwd: project, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
