/** The package in projects of others: bundled for a browser, and seen by TypeScript. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vm from 'node:vm';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ninaSchema } from '../src/decoders/nina/config.ts';
import { compileWasm, foldNina } from '../src/decoders/nina/wasm.ts';
import { loadPolicy } from '../src/policy/index.ts';
import * as random from '../src/random.ts';
import { randomModel } from './support/nina.ts';
import { observation, saveRandomPolicy } from './support/policy.ts';

const root = path.dirname(import.meta.dirname);
const subpaths = Object.keys(JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).exports)
  .filter((name) => name !== './package.json')
  .map((name) => `nina-vla${name.slice(1)}`);

let project: string;
const at = (name: string) => path.join(project, name);
beforeAll(() => {
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'consumer-'));
  fs.mkdirSync(at('node_modules'));
  fs.symlinkSync(root, at('node_modules/nina-vla'), 'junction');
  fs.writeFileSync(at('package.json'), JSON.stringify({ type: 'module' }));
});
afterAll(() => fs.rmSync(project, { recursive: true }));

/** What loads where there is no Node; everything else of the package reads files, trains or runs workers. */
const PURE = [
  'decoders',
  'decoders/flower',
  'decoders/nina',
  'decoders/nina/wasm',
  'decoders/regression',
  'encoders',
  'encoders/state',
  'engine/wasm',
  'engine/web',
  'flows',
  'nn',
  'policy/core',
  'random',
  'robot',
  'sim',
  'tensor',
];

/** Bundles what a line of code imports. @throws of esbuild, for an import of a module of Node */
async function bundle(code: string, format: 'iife' | 'esm', globalName?: string) {
  // MuJoCo asks for `module` where it finds itself in Node, and nowhere else.
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: project },
    ...{ format, globalName, bundle: true, platform: 'browser', external: ['module'] },
    ...{ write: false, metafile: true, logLevel: 'silent' },
  });
  expect(outputFiles.length).toBe(1);
  const [output] = Object.values(metafile.outputs);
  const external = Object.entries(metafile.inputs).filter(([, { imports }]) => imports.some((from) => from.external));
  return {
    code: outputFiles[0].text,
    modules: Object.entries(output.inputs).flatMap(([name, { bytesInOutput }]) => (bytesInOutput > 0 ? [name] : [])),
    asksForMore: external.map(([name]) => name),
  };
}

test('docs/library.md tells of every subpath whether it is pure', () => {
  const page = fs.readFileSync(path.join(root, 'docs/library.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (`.*`) \| .* \| (pure|Node) \|$/gm)].flatMap(([, names, where]) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => ({ name, where })),
  );
  expect(rows.map(({ name }) => `nina-vla/${name}`).sort()).toEqual([...subpaths].sort());
  expect(rows.flatMap(({ name, where }) => (where === 'pure' ? [name] : [])).sort()).toEqual(PURE);
});

describe('bundled for a browser', () => {
  const OURS = 'NinaBundle';
  let code: string;
  let modules: string[];
  beforeAll(async () => {
    const names = ['decoders/nina/wasm', 'policy/core', 'random'];
    ({ code, modules } = await bundle(
      names.map((name) => `export * from 'nina-vla/${name}';`).join('\n'),
      'iife',
      OURS,
    ));
  });

  test.each([
    ...PURE.map((name) => [name, `nina-vla/${name}`]),
    ['a policy that acts in the simulator', path.join(root, 'test/support/bits.ts')],
  ])('%s asks for nothing of Node and no native engine', async (_, from) => {
    const { modules, asksForMore, code } = await bundle(`export * from ${JSON.stringify(from)};`, 'esm');
    expect(modules.filter((module) => /node_modules\/(onnxruntime|h5wasm)|\.node$/.test(module))).toEqual([]);
    // `import { z } from 'zod'` brings its messages in fifty languages, `import * as z` does not.
    expect(modules.filter((module) => /zod.*locales\/(?!en\.)/.test(module))).toEqual([]);
    expect(asksForMore.filter((module) => !module.includes('@mujoco/mujoco/'))).toEqual([]);
    expect(code).not.toMatch(/["'`]node:/);
  });

  test('what needs Node is told so when it is bundled', async () => {
    await expect(bundle("export * from 'nina-vla/sim/suites';", 'esm')).rejects.toThrow(/Could not resolve "node:fs"/);
  });

  test('holds nothing of Node, ONNX Runtime or MuJoCo', () => {
    expect(code).not.toMatch(/["'`]node:|\brequire\(/);
    expect(modules.filter((name) => /onnxruntime|mujoco|h5wasm/.test(name))).toEqual([]);
  });

  /** Runs a script beside the bundle where there is only the language, WebAssembly, texts as bytes and a clock. @returns its JSON. */
  const run = async (script: string) => {
    const context = vm.createContext({ TextEncoder, TextDecoder, performance });
    vm.runInContext(code, context);
    expect(vm.runInContext('[typeof process, typeof require, typeof Buffer]', context).join()).toBe(
      'undefined,undefined,undefined',
    );
    return JSON.parse(
      await vm.runInContext(`(async () => JSON.stringify(await (async () => { ${script} })()))()`, context),
    );
  };
  const bits = (numbers: Float32Array) => [...new Uint32Array(numbers.slice().buffer)];

  test('draws the same random numbers', async () => {
    const answer = await run(`
      const { key, fold, normals, permutation, rng } = ${OURS};
      const r = rng(fold(key(7), 'a', 3));
      return [
        [...new Uint32Array(normals(fold(key(5), 'x'), 1000).buffer)],
        [...permutation(key(9), 100)],
        Array.from({ length: 100 }, () => [r.normal(), r.uniform(-1, 1)]),
      ];`);
    const { key, fold, normals, permutation, rng } = random;
    const r = rng(fold(key(7), 'a', 3));
    const numbers = Array.from({ length: 100 }, () => [r.normal(), r.uniform(-1, 1)]);
    expect(answer).toEqual([bits(normals(fold(key(5), 'x'), 1000)), [...permutation(key(9), 100)], numbers]);
  });

  test.each([
    ['mlp', 'float32'],
    ['mlp', 'int8'],
    ['trans', 'float32'],
    ['trans', 'int8'],
  ] as const)('decodes to the same bits: %s, %s', async (backbone, precision) => {
    const settings = { backbone, n_layers: 2, affine_dim: 8, n_heads: 2, block_depth: 1, cond_dim: 12 };
    const config = ninaSchema.parse(settings);
    const model = randomModel(config, 1);
    const [z, cond] = [random.normals(random.key(2), 3 * 70), random.normals(random.key(3), 3 * 12)];
    const typed = { Float32Array, Int32Array, Uint32Array, Float64Array };
    // Typed arrays as their kind and numbers: JSON writes them as objects.
    const kind = (value: unknown) => Object.entries(typed).find(([, type]) => value instanceof type)?.[0];
    const write = (value: unknown) =>
      JSON.stringify(value, (_, v) => (kind(v) ? { kind: kind(v), numbers: [...v] } : v));
    const answer = await run(`
      const read = (text) => JSON.parse(text, (_, v) => (v?.kind ? new globalThis[v.kind](v.numbers) : v));
      const { compileWasm, foldNina, ninaSchema } = ${OURS};
      const config = ninaSchema.parse(${JSON.stringify(settings)});
      const folded = foldNina(config, read(${JSON.stringify(write(model))}));
      const compiled = await compileWasm(folded, { maxBatch: 3, precision: '${precision}' });
      const { z, cond } = read(${JSON.stringify(write({ z, cond }))});
      const bits = (numbers) => [...new Uint32Array(numbers.slice().buffer)];
      const { actions, logProb } = compiled.sample(z, cond, 3);
      const drawn = [bits(actions), bits(logProb)];
      return [...drawn, bits(compiled.logProb(z, cond, 3))];`);
    using compiled = await compileWasm(foldNina(config, model), { maxBatch: 3, precision });
    const { actions, logProb } = compiled.sample(z, cond, 3);
    const drawn = [bits(actions), bits(logProb)];
    expect(answer).toEqual([...drawn, bits(compiled.logProb(z, cond, 3))]);
  });

  test.each([
    { name: 'nina', n_layers: 2, affine_dim: 8, cond_dim: 12 },
    { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 1 },
    { name: 'regression', hidden_dim: 8, n_layers: 1, cond_dim: 12 },
  ])('a policy of $name opens from the bytes of its checkpoint, and acts to the same bits', async (decoder) => {
    const directory = await saveRandomPolicy(at(decoder.name), decoder, { scale: 0.5 });
    const file = (name: string) => fs.readFileSync(path.join(directory, name));
    const answer = await run(`
      const { key, openPolicy } = ${OURS};
      const weights = Uint8Array.from(${JSON.stringify([...file('model.safetensors')])});
      const [manifest, config, statistics] = ${JSON.stringify(['manifest.json', 'config.json', 'stats.json'].map((name) => JSON.parse(file(name).toString())))};
      const policy = await openPolicy({ manifest, config, statistics, weights });
      const { actions, logProb } = await policy.sample(manifest.self_test.observation, { key: key(5), count: 2 });
      const other = await openPolicy({ manifest: { ...manifest, format_version: 1 }, config, statistics, weights })
        .catch((error) => error.message);
      return [policy.backend, actions.map((chunk) => [...new Uint32Array(chunk.buffer)]), logProb && [...logProb], other];`);
    using policy = await loadPolicy(directory);
    const { actions, logProb } = await policy.sample(observation, { key: random.key(5), count: 2 });
    const refused =
      'The checkpoint is a checkpoint of format 1, and this version of nina-vla reads format 2: train the policy again with this version.';
    expect(answer).toEqual(['wasm', actions.map(bits), logProb ? [...logProb] : null, refused]);
  });
});

describe('seen by TypeScript', () => {
  /** Type-checks a file of the project, without the types of Node. @returns the compiler's complaints. */
  const check = (file: string, module: string, moduleResolution: string) => {
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2022,esnext.disposable'];
    const how = ['--module', module, '--moduleResolution', moduleResolution, '--types', ''];
    const args = [tsc, ...flags, ...how, file];
    return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' }).stdout;
  };
  const imports = (line: (name: string, i: number) => string) => `${subpaths.map(line).join('\n')}\n`;
  const USE = `
    import { loadPolicy, type Policy } from 'nina-vla/policy';
    import { key } from 'nina-vla/random';
    export async function act(): Promise<Float32Array> {
      const policy: Policy = await loadPolicy('run');
      const observation = { state: [0], entities: { categories: [], poses: [0] }, instruction: '' };
      const { actions } = await policy.infer(observation, { key: key(1) });
      policy[Symbol.dispose]();
      return actions;
    }\n`;

  test.each([
    ['esnext', 'bundler'],
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
  ])('an ES module, %s with %s', (module, moduleResolution) => {
    const all = imports((name, i) => `import * as m${i} from '${name}';\nexport const n${i}: object = m${i};`);
    fs.writeFileSync(at('consumer.mts'), all + USE);
    expect(check('consumer.mts', module, moduleResolution)).toBe('');
    // The types are there, not `any`.
    fs.writeFileSync(at('wrong.mts'), "import { key } from 'nina-vla/random';\nexport const k: string = key(1);\n");
    expect(check('wrong.mts', module, moduleResolution)).toMatch(/TS2322/);
  });

  test('CommonJS that requires it', () => {
    fs.writeFileSync(
      at('consumer.cts'),
      imports((name, i) => `import m${i} = require('${name}');\nconsole.log(m${i});`),
    );
    fs.appendFileSync(at('consumer.cts'), 'declare const console: { log(x: unknown): void };\n');
    expect(check('consumer.cts', 'nodenext', 'nodenext')).toBe('');
  });
});
