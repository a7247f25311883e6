/** `nina bench latency`: the paper's latency table on this machine, each time beside the limit of reading the weights. */
import { type Latency, measureLatency } from '../bench/latency.ts';
import { PAPER, TOKENS } from '../bench/models.ts';
import { key } from '../random.ts';

interface Options {
  seconds: number;
  seed: number;
  json: boolean;
}

export async function benchLatency({ seconds, seed, json }: Options): Promise<void> {
  const result = await measureLatency({
    models: PAPER,
    tokens: TOKENS,
    key: key(seed),
    seconds,
    onProgress: (doing) => process.stderr.write(`${doing}\n`),
  });
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : formatLatency(result));
}

/** The table that people read, in Markdown. */
export function formatLatency({ models, bandwidth, tokens, machine }: Latency): string {
  const mb = (bytes: number) => (bytes / 1e6).toPrecision(3);
  const rows = models.map((m) =>
    [
      m.name,
      m.backend,
      `${(m.params / 1e6).toFixed(1)}M`,
      ...[m.min_ms, m.median_ms, m.p99_ms].map((ms) => ms.toPrecision(3)),
      (1000 / m.median_ms).toPrecision(3),
      mb(m.weight_bytes),
      m.gb_per_s.toFixed(0),
      m.limit_ms.toPrecision(3),
      (m.median_ms / m.limit_ms).toFixed(1),
    ].join(' | '),
  );
  const { cpu, cores, node, engine } = machine;
  return `${[
    '| model | backend | parameters | min ms | median ms | p99 ms | decodes/s | MB read per decode | GB/s | limit ms | median / limit |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    `Action module alone, batch 1, one thread, ${Math.min(...models.map(({ runs }) => runs))} decodes or more of each, in turns. ` +
      `Diffusion attends to ${tokens} tokens and reads its weights once per denoising step.`,
    `The limit is to read the weights: at the bandwidth of one thread from the smallest measured buffer that holds them ` +
      `(${bandwidth.readings.map((r) => `${r.bytes / 2 ** 20} MiB: ${r.gb_per_s.toFixed(0)}`).join(', ')} GB/s).`,
    `${cpu}, ${cores} cores, Node ${node}, ${engine}.`,
  ].join('\n')}\n`;
}
