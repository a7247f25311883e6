/** Nothing is written into the user's home, however the engine is loaded: its vendor's telemetry is off. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDemonstrations } from './support/demonstrations.ts';

const root = path.dirname(import.meta.dirname);
const subpaths = Object.keys(JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).exports)
  .filter((name) => name !== './package.json')
  .map((name) => `nina-vla${name.slice(1)}`);

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'telemetry-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

/** Runs Node where nobody has said anything about telemetry. @returns what it printed and the files of its home. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const home = fs.mkdtempSync(path.join(dir, 'home-'));
  const { ORT_DISABLE_TELEMETRY, CI, ...rest } = process.env;
  const options = { cwd: root, encoding: 'utf8', env: { ...rest, HOME: home, XDG_CACHE_HOME: '', ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  return { status, stdout, stderr, written: fs.readdirSync(home, { recursive: true }) };
}

/** Opens a session, which is when the engine would begin to report, and says how the variable is set. */
const OPEN = `
  const opened = ([{ exp, input }, { cpu }]) =>
    cpu.compile({ y: exp(input('x', [1])) })
      .then((program) => program.run({ x: new Float32Array(1) }))
      .then(({ y }) => process.stdout.write(y[0] + ' ' + process.env.ORT_DISABLE_TELEMETRY));`;
const clean = { status: 0, stdout: '1 1', stderr: '', written: [] };

describe.each(subpaths)('%s', (name) => {
  test('imported', () => {
    const script = `${OPEN} await import('${name}'); await opened(await Promise.all([import('nina-vla/tensor'), import('nina-vla/engine')]));`;
    expect(run(['--input-type=module', '-e', script])).toEqual(clean);
  });

  test('required', () => {
    const script = `${OPEN} require('${name}'); opened([require('nina-vla/tensor'), require('nina-vla/engine')]);`;
    const warning =
      /^\(node:\d+\) ExperimentalWarning: (CommonJS module|Support for loading ES Module)[^\n]*\n[^\n]*\n$/;
    const { stderr, ...rest } = run(['-e', script]);
    expect({ ...rest, stderr: stderr.replace(warning, '') }).toEqual(clean);
  });
});

describe('in a worker thread of a main thread that never loads the package', () => {
  const worker = `${OPEN} Promise.all([import('nina-vla/tensor'), import('nina-vla/engine')]).then(opened).then(done);`;
  const start = (options: string, wait: string) => `
    const { Worker } = require('node:worker_threads');
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const source = 'const done = () => { const c = require("node:worker_threads").workerData; Atomics.store(c, 0, 1); Atomics.notify(c, 0); };' + ${JSON.stringify(worker)};
    new Worker(source, { eval: true, workerData: counter, ...(${options}) });
    ${wait}`;

  test.each([
    ['with a copy of the environment', '{}', ''],
    ['with an environment of its own', '{ env: {} }', ''],
    ['that shares the environment', '{ env: require("node:worker_threads").SHARE_ENV }', ''],
    ['while the main thread waits for it', '{}', 'Atomics.wait(counter, 0, 0);'],
    ['while the main thread computes', '{}', 'while (Atomics.load(counter, 0) === 0);'],
  ])('%s', (_, options, wait) => {
    const { stdout, ...rest } = run(['-e', start(options, wait)]);
    expect(rest).toEqual({ status: 0, stderr: '', written: [] });
    expect(stdout).toMatch(/^1 /);
  });

  test('inside a worker thread', () => {
    const outer = `const { Worker } = require('node:worker_threads'); new Worker(${JSON.stringify(start('{}', ''))}, { eval: true });`;
    const { stdout, ...rest } = run(['-e', outer]);
    expect(rest).toEqual({ status: 0, stderr: '', written: [] });
    expect(stdout).toMatch(/^1 /);
  });

  test("a value that only the worker has is the process' too", () => {
    const wait = "process.on('exit', () => console.log(' ' + process.env.ORT_DISABLE_TELEMETRY));";
    expect(run(['-e', start('{ env: { ORT_DISABLE_TELEMETRY: "true" } }', wait)]).stdout).toBe('1 true true\n');
  });
});

test.each(['0', '1', ''])("the user's own value '%s' stays", (value) => {
  const script =
    "await import('nina-vla/policy'); process.stdout.write('[' + process.env.ORT_DISABLE_TELEMETRY + ']');";
  expect(run(['--input-type=module', '-e', script], { ORT_DISABLE_TELEMETRY: value }).stdout).toBe(`[${value}]`);
});

test('the commands', async () => {
  const at = (name: string) => path.join(dir, name);
  await writeDemonstrations(at('demos'), 4);
  fs.writeFileSync(
    at('tiny.yaml'),
    'decoder: { n_layers: 2, affine_dim: 16 }\nencoder: { dim: 16, heads: 2 }\n' +
      'training: { batch_size: 8, max_steps: 2, checkpoint_every: 2, learning_rate: 0.001 }\n',
  );
  const nina = (...args: string[]) => {
    const { status, stderr, written } = run([path.join(root, 'dist/cli/nina.js'), ...args]);
    return { status, written, ...(status !== 0 && { stderr }) };
  };
  const fine = { status: 0, written: [] };
  expect(nina('train', at('tiny.yaml'), '--data', at('demos'), '--out', at('run'))).toEqual(fine);
  expect(nina('inspect', at('run'))).toEqual(fine);
});
