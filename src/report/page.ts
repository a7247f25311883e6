/**
 * `report.html`: one self-contained page (no script, no external resource) about a training run and its evaluation:
 * the number with its interval, success per task, rollouts to watch, sampled action chunks against a demonstration,
 * training curves. Pure: data in, text out.
 */
import { type Evaluation, UNUSUAL } from '../rollout/episodes.ts';
import type { Rate } from '../statistics/index.ts';
import { type ChunkSample, chunkSection } from './chunks.ts';
import { curveSection, type Metric } from './curves.ts';
import { factSection, htmlPage } from './html.ts';
import { escapeHtml } from './plot.ts';

export interface Video {
  instruction: string;
  episode: number;
  success: boolean;
  steps: number;
  /** An animated image that a browser shows. */
  dataUri: string;
}

export interface ReportInput {
  title: string;
  /** Where the numbers come from: checkpoint, seed, versions. */
  facts: readonly (readonly [name: string, value: string])[];
  evaluation: Evaluation;
  videos: readonly Video[];
  chunks: readonly ChunkSample[];
  metrics: readonly Metric[];
}

/** One HTML page that needs no other file and no network. */
export function renderReport(input: ReportInput): string {
  const { title, facts, evaluation, videos, chunks, metrics } = input;
  const sections = [
    headline(evaluation),
    taskTable(evaluation),
    videoSection(videos),
    chunkSection(chunks),
    curveSection(metrics),
    factSection('Where this comes from', facts),
  ];
  return htmlPage(title, sections);
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;

function headline(evaluation: Evaluation): string {
  const { success_rate, interval, successes, n, latency_ms, ood } = evaluation;
  const cards = [
    [percent(success_rate), `success, ${successes} of ${n} episodes`],
    [`${percent(interval[0])} – ${percent(interval[1])}`, '95% Wilson interval'],
    [`${latency_ms.p50.toFixed(1)} ms`, `median time to decode a chunk; 95% within ${latency_ms.p95.toFixed(1)} ms`],
    ...(ood
      ? [[percent(ood.unusual), `of ${ood.n} decisions surprise more than ${percent(UNUSUAL)} of held-out ones do`]]
      : []),
  ];
  return `<div class="cards">${cards
    .map(([value, what]) => `<div class="card"><b>${value}</b><span>${what}</span></div>`)
    .join('')}</div>`;
}

function taskTable({ suite, tasks, ...total }: Evaluation): string {
  const row = (name: string, r: Rate, tag: string) =>
    `<tr${tag}><td>${escapeHtml(name)}</td><td class="num">${r.successes}/${r.n}</td>` +
    `<td class="num">${percent(r.success_rate)}</td><td>${intervalBar(r)}</td>` +
    `<td class="num dim">${percent(r.interval[0])} – ${percent(r.interval[1])}</td></tr>`;
  return (
    `<h2>Success on ${escapeHtml(suite)}</h2><table><thead><tr><th>Task</th><th class="num">n</th>` +
    '<th class="num">Success</th><th></th><th class="num">95% interval</th></tr></thead><tbody>' +
    tasks.map((task) => row(task.instruction, task, '')).join('') +
    (tasks.length > 1 ? row('All tasks', total, ' class="total"') : '') +
    '</tbody></table>'
  );
}

/** The rate as a bar from 0 to 1, the interval as a line over it. */
function intervalBar({ success_rate, interval: [low, high] }: Rate): string {
  const x = (share: number) => (share * 200).toFixed(1);
  return (
    '<svg class="bar" viewBox="0 0 200 14" width="200" height="14" aria-hidden="true">' +
    '<rect class="track" width="200" height="14" rx="3"/>' +
    `<rect class="fill" width="${x(success_rate)}" height="14" rx="3"/>` +
    `<line class="whisker" x1="${x(low)}" x2="${x(high)}" y1="7" y2="7"/>` +
    [low, high].map((end) => `<line class="whisker" x1="${x(end)}" x2="${x(end)}" y1="3" y2="11"/>`).join('') +
    '</svg>'
  );
}

function videoSection(videos: readonly Video[]): string {
  if (videos.length === 0) return '';
  const figures = videos.map(
    ({ instruction, episode, success, steps, dataUri }) =>
      `<figure><img src="${dataUri}" height="192" alt="Episode ${episode}: ${escapeHtml(instruction)}">` +
      `<figcaption><span class="${success ? 'good' : 'bad'}">${success ? 'success' : 'failure'}</span> ` +
      `after ${steps} steps<br>${escapeHtml(instruction)}</figcaption></figure>`,
  );
  return `<h2>Rollouts</h2><div class="videos">${figures.join('')}</div>`;
}
