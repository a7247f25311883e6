/** `nina bench latency`: the paper's latency table on this machine, each time beside the limit of reading the weights. */
import { latencyFigure, type Point } from '../bench/figure.ts';
import { type Latency, measureLatency } from '../bench/latency.ts';
import { PAPER } from '../bench/models.ts';
import { readTrained, type Trained } from '../bench/trained.ts';
import { UsageError } from '../errors.ts';
import { writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import { isRounded } from '../policy/backends.ts';
import { key } from '../random.ts';
import { createReporter, notice } from './progress.ts';

interface Options {
  seconds: number;
  seed: number;
  only?: string;
  results?: string;
  figure?: string;
  json: boolean;
}

export async function benchLatency({ seconds, seed, only = '', results, figure, json }: Options): Promise<void> {
  if (figure !== undefined && results === undefined)
    throw new UsageError(
      '--figure draws success against latency: it needs --results FILE, the lines of nina reproduce.',
    );
  const trained = results === undefined ? [] : readTrained(results);
  const all = [...PAPER, ...trained.map(({ model }) => model)];
  const models = all.filter(({ name }) => name.includes(only));
  if (models.length === 0)
    throw new UsageError(`--only '${only}' is in no name of ${all.map(({ name }) => name).join(', ')}.`);
  if (figure !== undefined && !trained.some(({ model }) => models.includes(model)))
    throw new UsageError(
      `--figure ${figure}: no trained model is left of ${results}${only && ` with --only '${only}'`}.`,
    );
  const latency = await measureLatency({
    models,
    key: key(seed),
    seconds,
    report: createReporter(),
  });
  if (figure !== undefined) {
    const { renderSvg } = await import('../report/vega.ts');
    writeFileAtomically(figure, await renderSvg(latencyFigure(pointsOf(trained, latency))));
    notice(`Wrote ${figure}`);
  }
  process.stdout.write(json ? `${toJson(latency)}\n` : formatLatency(latency));
}

/** Weights of 8 bits are another policy, whose success was not measured; the other backends differ by rounding. */
function pointsOf(trained: readonly Trained[], { models }: Latency): Point[] {
  return trained.flatMap(({ model, label, success_rate, interval }) =>
    models
      .filter(({ name, backend }) => name === model.name && !isRounded(backend))
      .map(({ backend, median_ms }) => ({
        model: label,
        backend,
        latencyMs: median_ms,
        successRate: success_rate,
        interval,
      })),
  );
}

const digits = (x: number) => (x >= 100 ? x.toFixed(0) : x.toPrecision(2 + +(x >= 10)));

/** The table that people read, in Markdown. */
export function formatLatency({ models, bandwidth, pooling, machine }: Latency): string {
  const rows = models.map((m) => [
    ...[m.name, m.backend, `${(m.params / 1e6).toFixed(1)}M`],
    ...[m.min_ms, m.median_ms, m.p99_ms, 1000 / m.median_ms, m.weight_bytes / 1e6, m.limit_ms].map(digits),
    (m.median_ms / m.limit_ms).toFixed(1),
  ]);
  const header =
    'model, backend, parameters, min ms, median ms, p99 ms, decodes/s, MB read, limit ms, median / limit'.split(', ');
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const size = (bytes: number) => `${bytes / 2 ** 20} MiB`;
  const { cpu, cores, node, engine } = machine;
  const inexact = models.flatMap(({ name, backend, max_difference }) =>
    max_difference > 0 ? [`${max_difference.toExponential(0)} (${name}, ${backend})`] : [],
  );
  return `${[
    ...[line(header), line(header.map(() => '---')), ...rows.map(line), ''],
    `The action module alone, batch 1, one thread; at least ${Math.min(...models.map(({ runs }) => runs))} decodes of each, in turns.`,
    'Parameters: those that can matter; the reference counts 38.6M in the Transformer with its unused ones.',
    'MB read: the weights that one decode reads; diffusion reads most of its own once per denoising step.',
    `Limit: reading them at the bandwidth of one thread, measured in this run: that of the smallest buffer that holds ` +
      `the model's weights (${bandwidth.readings.map((r) => `${size(r.bytes)} ${r.gb_per_s.toFixed(0)} GB/s`).join(', ')}).`,
    `NinA's times start at the pooled condition; pooling ${pooling.tokens} tokens takes ${digits(pooling.median_ms)} ms more. Diffusion attends to the tokens.`,
    ...(inexact.length > 0
      ? [`Actions differ from the graph's, in shares of the largest, by at most ${inexact.join(', ')}.`]
      : []),
    `${cpu}, ${cores} cores, Node ${node}, ${engine}.`,
  ].join('\n')}\n`;
}
