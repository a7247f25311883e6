import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { publish } from '../../src/reproduce/publish.ts';
import { type Plan, summaryOf } from '../../src/reproduce/summary.ts';
import { lineOf, PLAN } from './synthetic.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'publish-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const LINES = PLAN.suites.flatMap((suite) =>
  PLAN.variants.map(({ name }, i) => lineOf({ suite, variant: name, seed: 0, successes: 7 + i })),
);
const ABLATION: Plan = {
  ...{ name: 'ablate', baseline: 'flow', suites: ['tabletop-object'], seeds: [0] },
  variants: [
    { name: 'flow', label: 'with', group: 'PLU' },
    { name: 'bare', label: 'without', group: 'PLU' },
  ],
};

const at = (...names: string[]) => path.join(folder, ...names);
const read = (...names: string[]) => fs.readFileSync(at(...names), 'utf8');

test('a folder of results: lines, sums, charts, one report', async () => {
  await publish(at('a'), summaryOf(PLAN, LINES), LINES);
  expect(fs.readdirSync(at('a')).sort()).toEqual([
    'main-difference.svg',
    'main-success.svg',
    'main.json',
    'main.jsonl',
    'report.html',
  ]);
  const lines = read('a', 'main.jsonl').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toEqual(JSON.parse(JSON.stringify(LINES)));
  expect(JSON.parse(read('a', 'main.json')).variants[0].average).toMatchObject({ successes: 14, n: 20 });
  const html = read('a', 'report.html');
  for (const { name } of LINES) expect(html).toContain(`<td>${name}</td><td class="num">`);
  for (const part of [
    '70.0 [48.1, 85.5]',
    '-10.0 [',
    'object: hard one',
    'Flow &lt;MLP&gt;',
    '4 of 8 cells',
    'Abacus, 2 cores',
    '<svg',
  ])
    expect(html).toContain(part);
  expect(html).not.toMatch(/<script|<link|src="|href="http|NaN|undefined/);
  for (const tag of ['table', 'tr', 'td', 'th', 'div', 'figure', 'svg', 'dl'])
    expect(html.split(new RegExp(`<${tag}[ >]`)).length, tag).toBe(html.split(`</${tag}>`).length);
});

test('the report holds both studies, and the same results give the same bytes', async () => {
  const ablation = [7, 9].map((successes, i) =>
    lineOf({ suite: 'tabletop-object', variant: i === 0 ? 'flow' : 'bare', seed: 0, successes }),
  );
  const both = async (name: string) => {
    await publish(at(name), summaryOf(PLAN, LINES), LINES);
    await publish(at(name), summaryOf(ABLATION, ablation), ablation);
  };
  await both('b');
  await both('c');
  for (const file of fs.readdirSync(at('b'))) expect(read('c', file), file).toBe(read('b', file));
  expect(read('b', 'report.html')).toMatch(/nina reproduce main[\s\S]*nina reproduce ablate[\s\S]*without/);
  expect(read('b', 'ablate-success.svg')).toContain('PLU');
});

test('a study without a finished cell is a report all the same', async () => {
  await publish(at('d'), summaryOf(PLAN, []), []);
  expect(read('d', 'main.jsonl')).toBe('');
  expect(read('d', 'report.html')).toContain('0 of 8 cells');
});

test('a damaged file is named', async () => {
  await publish(at('e'), summaryOf(PLAN, LINES), LINES);
  fs.writeFileSync(at('e', 'ablate.json'), '{');
  fs.writeFileSync(at('e', 'ablate.jsonl'), '');
  await expect(publish(at('e'), summaryOf(PLAN, LINES), LINES)).rejects.toThrow(/ablate\.json is not JSON: /);
});
