/** The package as its users get it: every subpath resolves to built code with types, and the command does what the pages tell. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.dirname(import.meta.dirname);
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const subpaths = Object.entries<{ types: string; default: string }>(manifest.exports).filter(
  ([name]) => name !== './package.json',
);

/** One name that each subpath is imported for. */
const EXPORTS: Record<string, string> = {
  './tensor': 'grad',
  './nn': 'linear',
  './flows': 'realNvp',
  './decoders': 'decoderSchema',
  './decoders/nina': 'sampleAndLogProb',
  './decoders/nina/wasm': 'compileWasm',
  './decoders/flower': 'velocity',
  './decoders/regression': 'predict',
  './encoders': 'encoderSchema',
  './encoders/state': 'stateEncoder',
  './robot': 'PANDA',
  './policy': 'loadPolicy',
  './policy/core': 'openPolicy',
  './random': 'key',
  './data': 'readDemonstrations',
  './sim': 'TabletopEnvironment',
  './sim/suites': 'loadSuite',
  './train': 'train',
  './rollout': 'evaluate',
  './record': 'recordDemonstrations',
  './report': 'writeReport',
  './engine': 'onnxruntime',
  './engine/web': 'onnxruntimeWeb',
  './engine/wasm': 'wasm',
};

describe('subpath exports', () => {
  it('are all tested here', () => {
    expect(subpaths.map(([name]) => name).sort()).toEqual(Object.keys(EXPORTS).sort());
  });

  it.each(subpaths)('%s resolves by name, with types', (name, target) => {
    expect(fs.existsSync(path.join(root, target.types))).toBe(true);
    const script = `const m = await import('nina-vla${name.slice(1)}'); process.stdout.write(Object.keys(m).join())`;
    const names = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(names.split(',')).toContain(EXPORTS[name]);
  });

  it.each(subpaths)('%s is what require() gives, too', (name) => {
    const script = `process.stdout.write(Object.keys(require('nina-vla${name.slice(1)}')).join())`;
    const names = execFileSync(process.execPath, ['-e', script], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(names.split(',')).toContain(EXPORTS[name]);
  });
});

/** Commands that the README and the pages beside it tell: 'nina eval RUN --episodes 10'. */
const told = ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map((name) => path.join('docs', name))]
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => {
    const text = fs.readFileSync(path.join(root, name), 'utf8');
    const inline = [...text.matchAll(/`nina ([a-z][^`]*)`/g)];
    const lines = [...text.matchAll(/^nina ([a-z][^#\n]*)/gm)];
    return [...inline, ...lines].map(([, command]) => ({ name, words: command.trim().split(/\s+/) }));
  });

describe('the package as it is packed', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'package-'));
  beforeAll(() => {
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const [{ filename }] = JSON.parse(execFileSync('npm', pack, { cwd: root, encoding: 'utf8', stdio: 'pipe' }));
    execFileSync('tar', ['-xzf', path.join(folder, filename), '-C', folder]);
    fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  /** Its bin, as a shell runs it. */
  const nina = (...args: string[]) =>
    execFileSync(path.join(folder, 'package', manifest.bin.nina), args, { encoding: 'utf8', stdio: 'pipe' });

  it('has a command that says its version', () => {
    expect(nina('--version').trim()).toBe(manifest.version);
  });

  it('has the commands that README and docs tell, with the options that they tell', () => {
    // A command's arguments may be words, too; its help ends it before they are looked at.
    const commands = new Map(told.map(({ words }) => [words.filter((word) => /^[a-z]+$/.test(word)).join(' '), '']));
    for (const command of commands.keys()) commands.set(command, nina(...command.split(' '), '--help'));
    const unknown = told.flatMap(({ name, words }) => {
      const help = commands.get(words.filter((word) => /^[a-z]+$/.test(word)).join(' '))!;
      const missing = words.filter((word) => word.startsWith('--') && !help.includes(`${word.split('=')[0]} `));
      const known = help.startsWith(`Usage: nina ${words[0]} `) && missing.length === 0;
      return known ? [] : [`${name}: nina ${words.join(' ')}`];
    });
    expect(unknown).toEqual([]);
    expect(commands.size).toBeGreaterThan(10);
  });

  it.each(['main', 'ablate'])('has the study %s', (study) => {
    expect(JSON.parse(nina('reproduce', study, '--dry-run', '--out', path.join(folder, 'out'), '--json'))).toBeTruthy();
  });
});

it('CI runs the commands that the README tells', () => {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  expect(readme).toContain('npm ci && npm run quickstart');
  expect(readme).toContain('npm ci && npm test');
  const ci = fs.readFileSync(path.join(root, '.ci/run'), 'utf8');
  expect(ci).toMatch(/^npm ci\nnpm test$/m);
});
