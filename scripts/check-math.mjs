// The same bits everywhere, as a check: what results depend on may not ask the engine for functions whose last digits are
// the engine's own (Math.sin and its like, and ** except of a power of two); src/math.ts has versions that are exact
// operations only. Not checked is what no result depends on: tests, command line and benches, charts, and HDF5's sizes.
import * as fs from 'node:fs';
import * as path from 'node:path';

const FREE = ['bench', 'cli', 'report', 'data/hdf5'].map((folder) => path.join(...folder.split('/')) + path.sep);
const INEXACT =
  /\bMath\.(a?sinh?|a?cosh?|a?tanh?|atan2|exp|expm1|log|log2|log10|log1p|hypot|pow|cbrt)\b|(?<!(?:^|[^\w.])(?:2|256)) \*\* /g;

const root = path.dirname(import.meta.dirname);
const src = path.join(root, 'src');
const wrong = [];
for (const name of fs.readdirSync(src, { recursive: true })) {
  if (!name.endsWith('.ts') || name.endsWith('.test.ts') || FREE.some((folder) => name.startsWith(folder))) continue;
  const text = fs.readFileSync(path.join(src, name), 'utf8');
  // Comments become blanks, so that lines keep their numbers.
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, (comment) => comment.replace(/[^\n]/g, ' '));
  for (const { 0: found, index } of code.matchAll(INEXACT))
    wrong.push(`src/${name}:${code.slice(0, index).split('\n').length} uses ${found.trim()}`);
}
if (wrong.length > 0) {
  console.error(`Functions whose last digits differ between engines; use those of src/math.ts:\n${wrong.join('\n')}`);
  process.exit(1);
}
