/** `nina bench latency --whole`: a whole decision, pictures to actions, with Florence-2 in three sizes. */
import * as os from 'node:os';
import { measureWhole, WHOLE, type Whole } from '../bench/whole.ts';
import { UsageError } from '../errors.ts';
import { toJson } from '../json.ts';
import { createReporter } from './progress.ts';

interface Options {
  seconds: number;
  only?: string;
  threads?: number;
  json: boolean;
}

export async function benchWhole({ seconds, only = '', threads, json }: Options): Promise<void> {
  const nameOf = ({ name, backend }: (typeof WHOLE)[number]) => `${name}, ${backend}`;
  const models = WHOLE.filter((model) => nameOf(model).includes(only));
  if (models.length === 0) throw new UsageError(`--only '${only}' is in no name of ${WHOLE.map(nameOf).join('; ')}.`);
  const report = createReporter();
  const whole = await measureWhole({ models, threads: threads ?? os.availableParallelism(), seconds, report });
  process.stdout.write(json ? `${toJson(whole)}\n` : formatWhole(whole));
}

/** The table that people read, in Markdown. */
export function formatWhole({ models, machine }: Whole): string {
  const { cpu, cores, node, engine } = machine;
  const rows = models.map(
    (m) =>
      `| ${m.name} | ${m.backend} | ${(m.params / 1e6).toFixed(1)}M | ${m.tokens} | ${m.min_ms.toFixed(1)} | ${m.median_ms.toFixed(1)} | ` +
      `${m.p99_ms.toFixed(1)} | ${(m.peak_bytes / 1e9).toFixed(2)} |`,
  );
  return `${[
    '| encoder | backend | parameters | tokens | min ms | median ms | p99 ms | peak GB |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'A whole decision: pictures of two cameras (128 x 128) and an instruction to a chunk of actions; random weights, NinA MLP 28 x 64.',
    `${models[0].threads} thread(s) inside one operation; at least ${Math.min(...models.map(({ runs }) => runs))} decisions of each. ` +
      'Peak: what the process held at most up to that row.',
    `${cpu}, ${cores} cores, Node ${node}, ${engine}.`,
  ].join('\n')}\n`;
}
