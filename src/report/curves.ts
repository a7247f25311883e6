/** The report's training curves, from a run's metrics.jsonl. */
import * as z from 'zod';
import { readJsonLog } from '../json-files.ts';
import { type Line, plot, thin } from './plot.ts';

/** One line of metrics.jsonl: the step and whatever was measured then. */
const metricSchema = z.object({ step: z.int().min(0) }).catchall(z.number());

export type Metric = Readonly<z.output<typeof metricSchema>>;

/** @throws NinaError for a line (other than a last one cut short) that is not a measurement. */
export const readMetrics = (file: string): Metric[] =>
  readJsonLog(file, metricSchema, 'The line is no JSON object of a step and what was measured.');

/** [title, [[field, label], ...]] */
const CURVES: readonly [string, readonly (readonly [string, string])[]][] = [
  [
    'Loss (of a flow: negative log-likelihood, nats)',
    [
      ['loss', 'training'],
      ['val_loss', 'held out'],
    ],
  ],
  [
    'Held-out squared error',
    [
      ['val_best_of_8_mse', 'nearest of 8 samples'],
      ['val_z0_mse', 'z = 0'],
    ],
  ],
  ['Held-out bits per dimension', [['val_bits_per_dim', 'held out']]],
  ['Gradient norm', [['grad_norm', 'training']]],
  ['Learning rate', [['lr', 'schedule']]],
  ['Steps per second', [['steps_per_s', 'speed']]],
];

export function curveSection(metrics: readonly Metric[]): string {
  const plots = CURVES.map(([title, fields]) => {
    const lines = fields.flatMap(([field, label], i): Line[] => {
      const points = metrics.flatMap((m) => (typeof m[field] === 'number' ? [[m.step, m[field]] as const] : []));
      return points.length === 0 ? [] : [{ label, style: i === 0 ? 'a' : 'b', points: thin(points) }];
    });
    if (lines.length === 0) return '';
    const key = lines.map(({ label, style }) => `<i class="${style}"></i> ${label}`).join(' &nbsp; ');
    return `<div class="curve">${plot({ title, lines, width: 340, height: 190 })}<p class="key">${key}</p></div>`;
  });
  const all = plots.join('');
  return all === '' ? '' : `<h2>Training</h2><div class="plots">${all}</div>`;
}
