/**
 * Under a limit of address space (`ulimit -v`, a cluster's h_vmem), where V8 cannot reserve 10 GB for each WebAssembly
 * memory: commands end with a sentence, and work with what the sentence advises.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nina } from './cli/nina.ts';
import { writeDemonstrations } from './support/demonstrations.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

const root = path.dirname(import.meta.dirname);
const ADVICE = '--disable-wasm-trap-handler';
const SUITE = ['--suite', 'tabletop-object', '--task', '0', '--seed', '1'];

let dir: string;
const at = (...names: string[]) => path.join(dir, ...names);
beforeAll(async () => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'address-space-'));
  await saveRandomPolicy(at('policy'));
  await writeDemonstrations(at('demos'), 4);
  fs.writeFileSync(
    at('tiny.yaml'),
    `data: ${at('demos')}\ndecoder: { n_layers: 2, affine_dim: 16 }\nencoder: { dim: 16, heads: 2 }\n` +
      'training: { batch_size: 8, max_steps: 2, checkpoint_every: 2, learning_rate: 0.001 }\n',
  );
  expect(nina('demos', ...SUITE, '--episodes', 1, '--out', at('recorded')).code).toBe(0);
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

/** Node under a limit of address space, in GB. */
function limited(limitGb: number, args: readonly string[], { advised = false, input = '' } = {}) {
  // The shell limits itself, then becomes Node.
  const script = `ulimit -v ${Math.round((limitGb * 1e9) / 1024)} && exec "$0" "$@"`;
  const env = { ...process.env, NODE_OPTIONS: advised ? ADVICE : '' };
  const options = { cwd: root, encoding: 'utf8', env, input } as const;
  const { status, signal, stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, ...args], options);
  return { status: status ?? signal, stdout, stderr };
}

let runs = 0;
const COMMANDS: Readonly<Record<string, () => string[]>> = {
  train: () => ['train', at('tiny.yaml'), '--out', at(`run${runs++}`), '--workers', '1'],
  'train with two threads': () => ['train', at('tiny.yaml'), '--out', at(`run${runs++}`), '--workers', '2'],
  sample: () => ['sample', at('policy'), '--json'],
  inspect: () => ['inspect', at('policy')],
  replay: () => ['replay', at('recorded', fs.readdirSync(at('recorded'))[0]), '--demo', '0'],
  demos: () => ['demos', ...SUITE, '--episodes', '2', '--workers', '2', '--out', at(`recorded${runs++}`)],
};
const command = (name: string, limitGb: number, advised = false) => {
  const args = [path.join(root, 'dist/cli/nina.js'), ...COMMANDS[name]()];
  return limited(limitGb, args, { advised, input: JSON.stringify(observation) });
};

/** Lines that no user should see: stacks, Emscripten's and V8's own. */
const NOISE = /^ {4}at |Aborted|asynchronously|^#|^node:|is not a function/m;

/** Node 24 does by itself what the sentence advises, where it finds such a limit. */
const isShort = (limitGb: number) => limited(limitGb, ['-e', 'new WebAssembly.Memory({ initial: 1 })']).status !== 0;

describe.each(Object.keys(COMMANDS))('%s', (name) => {
  test.each([2, 8])('says under a limit of %i GB what is short, or works', (limitGb) => {
    const { status, stderr } = command(name, limitGb);
    expect(stderr).not.toMatch(NOISE);
    if (!isShort(limitGb) && status === 0) return;
    expect(status).toBe(1);
    const last = stderr.trim().split('\n').at(-1);
    expect(last).toMatch(/address space.*Raise the limit.*NODE_OPTIONS=--disable-wasm-trap-handler/);
  });
});

test.each(['train', 'sample', 'inspect', 'replay'])('%s works under 4 GB as the sentence advises', (name) => {
  expect(command(name, 4, true)).toMatchObject({ status: 0 });
});

test.each([3, 4, 5])('worker threads that do not fit into %i GB are refused, not killed', (limitGb) => {
  const { status, stderr } = command('demos', limitGb, true);
  expect(stderr).not.toMatch(NOISE);
  if (status !== 0)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/2 worker threads need about \d+ MB of address space/)]);
});

test.each([4, 6, 7])('a second thread for training that does not fit into %i GB is refused, not killed', (limitGb) => {
  const { status, stderr } = command('train with two threads', limitGb, true);
  expect(stderr).not.toMatch(NOISE);
  if (status !== 0)
    expect([status, stderr]).toEqual([1, expect.stringMatching(/second thread for training.*--workers 1/)]);
});

describe('the engine', () => {
  const script = (body: string) => [
    '--input-type=module',
    '-e',
    `import { cpu } from 'nina-vla/engine';
     import { broadcastTo, exp, input, sum } from 'nina-vla/tensor';
     try { ${body} } catch (error) { console.log(error.name + ': ' + error.message); }`,
  ];

  test('says when a program gets no memory', () => {
    const body = `const program = await cpu.compile({ y: sum(exp(broadcastTo(input('x', [1]), [2e9]))) });
      await program.run({ x: new Float32Array(1) });`;
    const { stdout, status } = limited(4, script(body));
    expect(stdout).toMatch(
      /^NinaError: ONNX Runtime could not run a program: it got no memory \(.*\)\. Use a smaller batch/,
    );
    expect(status).toBe(0);
  });

  test('says when there is no room for it', () => {
    // All but 250 MB; to the brim, V8 itself would end the process.
    const fill = `const { readFileSync } = await import('node:fs');
      const used = 1024 * Number(readFileSync('/proc/self/status', 'utf8').match(/VmSize:\\s+(\\d+)/)[1]);
      const kept = Array.from({ length: Math.floor((2.75e9 - used) / 5e7) }, () => new ArrayBuffer(5e7));`;
    const { stdout, status } = limited(3, script(`${fill} await cpu.compile({ y: exp(input('x', [1])) });`));
    expect(stdout).toMatch(
      /^NinaError: ONNX Runtime needs about 350 MB of address space; this process has \d+ MB left/,
    );
    expect(status).toBe(0);
  });
});
