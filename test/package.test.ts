/** The package as its users get it: every subpath resolves to built code with types, and the command starts. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';

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
  './sim': 'Environment',
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

it('has a command that says its version', () => {
  const version = execFileSync(process.execPath, [path.join(root, manifest.bin.nina), '--version'], {
    encoding: 'utf8',
  });
  expect(version.trim()).toBe(manifest.version);
});

it('runs the commands that the README tells', () => {
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  expect(readme).toContain('npm ci && npm run quickstart');
  expect(readme).toContain('npm ci && npm test');
  const ci = fs.readFileSync(path.join(root, '.ci/run'), 'utf8');
  expect(ci).toMatch(/^npm ci\nnpm test$/m);
});
