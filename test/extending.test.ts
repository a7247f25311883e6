/** docs/extending.md as it is written: each example copied into the source, with its one line in the registry. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ninaJson } from './cli/nina.ts';

const root = path.dirname(import.meta.dirname);
const clone = fs.mkdtempSync(path.join(os.tmpdir(), 'extending-'));
const at = (...names: string[]) => path.join(clone, ...names);
afterAll(() => fs.rmSync(clone, { recursive: true }));

/** Copies an example into the source, and names it in the registry's list and imports. */
function add(kind: 'decoders' | 'encoders', name: string, example: string) {
  const code = fs.readFileSync(path.join(root, 'examples', example), 'utf8').replaceAll("'../src/", "'../../");
  const file = kind.slice(0, -1);
  fs.mkdirSync(at('src', kind, name));
  fs.writeFileSync(at('src', kind, name, `${file}.ts`), code);
  const registry = at('src', kind, 'index.ts');
  const list = new RegExp(`(export const ${kind.toUpperCase()}: readonly \\w+\\[\\] = \\[.*)\\];`);
  const before = fs.readFileSync(registry, 'utf8');
  expect(before).toMatch(list);
  const added = before.replace(list, `$1, ${name}];`);
  fs.writeFileSync(registry, `import { ${name} } from './${name}/${file}.ts';\n${added}`);
}

/** @throws when it fails */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return { stdout };
}

beforeAll(() => {
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'])
    fs.cpSync(path.join(root, name), at(name), { recursive: true });
  // The check of imports looks at these, too.
  for (const name of ['test', 'bench']) fs.mkdirSync(at(name));
  fs.symlinkSync(path.join(root, 'node_modules'), at('node_modules'), 'junction');
  add('decoders', 'gaussian', 'gaussian-decoder.ts');
  add('encoders', 'proprioception', 'proprioception-encoder.ts');
  run('scripts/build.mjs');
  ninaJson('demos', '--suite', 'tabletop-object', '--task', 0, '--episodes', 3, '--seed', 0, '--out', at('demos'));
});

test('the architecture allows it', () => {
  run('scripts/check-imports.mjs');
});

test('a recipe names both, and the policy is trained, rolled out, sampled and exported', () => {
  const recipe = 'encoder: { name: proprioception, dim: 8 }\ndecoder: { name: gaussian }\ntraining: { max_steps: 3 }\n';
  fs.writeFileSync(at('own.yaml'), recipe);
  const json = (...args: string[]) => JSON.parse(run('dist/cli/nina.js', ...args, '--json').stdout);
  expect(json('train', 'own.yaml', '--data', 'demos', '--out', 'run')).toMatchObject({ steps: 3 });
  const evaluation = ['--suite', 'tabletop-object', '--task', '0', '--episodes', '1', '--seed', '0'];
  expect(json('eval', 'run', ...evaluation)).toMatchObject({ n: 1 });
  const [file] = fs.readdirSync(at('demos')).filter((name) => name.endsWith('.hdf5'));
  const { samples } = json('sample', 'run', path.join('demos', file), '--demo', '0', '--count', '2');
  expect(samples.map(({ log_prob }: { log_prob: number }) => Number.isFinite(log_prob))).toEqual([true, true]);
  json('export', 'run', '--onnx', 'own.onnx');
  expect(fs.existsSync(at('own.onnx'))).toBe(true);
});

test('one’s own decoder has a flag, and its settings are listed', () => {
  expect(run('dist/cli/nina.js', 'train', '--set', 'help').stdout).toContain('decoder: { name: gaussian }');
  run('dist/cli/nina.js', 'train', '--decoder', 'gaussian', '--max_steps', '1', '--data', 'demos', '--out', 'flagged');
});
