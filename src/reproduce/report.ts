/** The report of studies: the tables with their intervals, the charts, success per task, and what every cell was. */
import { factSection, htmlPage } from '../report/html.ts';
import { escapeHtml } from '../report/plot.ts';
import { settingsIn } from '../train/settings.ts';
import { type ResultLine, rateOf } from './results.ts';
import type { Summary } from './summary.ts';
import { type Table, tablesOf } from './tables.ts';

const TITLES: Readonly<Record<string, string>> = {
  main: 'NinA against the decoders it replaces',
  ablate: "What NinA's design choices are worth",
};

/** What a folder of results holds of one study. */
export interface Published {
  readonly summary: Summary;
  readonly lines: readonly ResultLine[];
  /** SVG texts. */
  readonly charts: readonly string[];
}

export function renderStudies(studies: readonly Published[]): string {
  return htmlPage('NinA: the paper’s comparison, reproduced', [NOTES, ...studies.flatMap(studySections)]);
}

const NOTES =
  '<p>An interval is Wilson’s, 95%, over the pooled rollouts of all seeds: it says how well the rate of these very policies ' +
  'is known. What another training would change shows in the lowest and the highest rate of a seed. A difference is over the ' +
  'seeds that both variants have, its interval Newcombe’s, as if the rollouts of both were independent. Rollouts of one seed ' +
  'start from the same placements for every variant. Decoding was timed in closed loop while other cells were computed; ' +
  'nina bench latency measures it on a quiet machine.</p>';

function studySections({ summary, lines, charts }: Published): string[] {
  const { study, finished, cells } = summary;
  return [
    `<h1>${escapeHtml(TITLES[study] ?? study)}</h1><p class="dim">nina reproduce ${escapeHtml(study)}: ${finished} of ${cells} cells are finished</p>`,
    ...charts.map((svg) => `<figure class="chart">${svg}</figure>`),
    ...tablesOf(summary).map(tableSection),
    tableSection(taskTable(summary, lines)),
    tableSection(cellTable(lines)),
    factSection('The same for all cells', sharedFacts(lines)),
  ];
}

function tableSection({ title, head, rows }: Table): string {
  const cells = (tag: 'th' | 'td', row: readonly string[]) =>
    row.map((text, i) => `<${tag}${i === 0 ? '' : ' class="num"'}>${escapeHtml(text)}</${tag}>`).join('');
  return (
    `<h2>${escapeHtml(title)}</h2><div class="wide"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>` +
    `${rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('')}</tbody></table></div>`
  );
}

/** Successes of each task by variant, over all seeds. */
function taskTable({ suites, variants }: Summary, lines: readonly ResultLine[]): Table {
  const rows = suites.flatMap((suite) => {
    const own = lines.filter((line) => line.suite === suite);
    const tasks = [...new Set(own.flatMap((line) => line.tasks.map(({ task }) => task)))];
    return tasks.map((name) => [
      `${suite.replace('tabletop-', '')}: ${name.replaceAll('_', ' ')}`,
      ...variants.map(({ variant }) => {
        const counts = own
          .filter((line) => line.variant === variant)
          .flatMap((line) => line.tasks.filter(({ task }) => task === name));
        const { successes, n } = rateOf(...counts);
        return n === 0 ? '–' : `${successes}/${n}`;
      }),
    ]);
  });
  return { title: 'Success by task', head: ['', ...variants.map(({ label }) => label)], rows };
}

/** Every cell with what sets it apart from the others. */
function cellTable(lines: readonly ResultLine[]): Table {
  const varying = [...varyingSettings(lines)];
  return {
    title: 'Cells',
    head: ['', 'success', 'seconds of training', ...varying, 'hash'],
    rows: lines.map((line) => {
      const own = settingsOf(line);
      const values = varying.map((name) => (name in own ? String(own[name]) : '–'));
      return [line.name, `${line.successes}/${line.n}`, line.training_s.toFixed(0), ...values, line.hash.slice(0, 12)];
    }),
  };
}

function sharedFacts(lines: readonly ResultLine[]): (readonly [string, string])[] {
  const [first] = lines;
  if (first === undefined) return [];
  const varying = varyingSettings(lines);
  const { demonstrations, versions } = first;
  const shared = Object.entries(settingsOf(first)).filter(([name]) => !varying.has(name));
  return [
    ['demonstrations', `${demonstrations.episodes} attempts per task, seed ${demonstrations.seed}`],
    ...shared.map(([name, value]) => [name, String(value)] as const),
    ...machines(lines).map((text) => ['machine', text] as const),
    ['nina-vla', versions.package],
    ['tensor engine', versions.engine],
    ['simulator', `MuJoCo ${versions.mujoco}`],
  ];
}

/** Those that cells were computed on, each once. */
function machines(lines: readonly ResultLine[]): string[] {
  const known = lines.flatMap(({ machine }) => machine ?? []);
  return [...new Set(known.map(({ cpu, cores, node }) => `${cpu}, ${cores} cores, Node ${node}`))];
}

/** Settings of training, by path, and of evaluation under one roof. */
const settingsOf = ({ settings, evaluation, backend }: ResultLine): Readonly<Record<string, unknown>> => ({
  ...Object.fromEntries([...settingsIn(settings, '')].map(([path, { value }]) => [path, value])),
  backend,
  ...Object.fromEntries(Object.entries(evaluation).map(([name, value]) => [`rollouts ${name}`, value])),
});

/** Names of settings that are not the same for all, seeds aside: the cell's name has the seed. */
function varyingSettings(lines: readonly ResultLine[]): Set<string> {
  const names = new Set(lines.flatMap((line) => Object.keys(settingsOf(line))));
  const isSame = (name: string) =>
    new Set(lines.map((line) => JSON.stringify(settingsOf(line)[name]) ?? 'absent')).size === 1;
  return new Set([...names].filter((name) => !isSame(name) && name !== 'seed' && name !== 'rollouts seed'));
}
