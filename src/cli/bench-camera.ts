/** `nina bench camera`: what one antialiased 128 x 128 frame costs, for each camera in the scenes of each suite's first task. */

import { type Contestant, measureInterleaved } from '../bench/measure.ts';
import { toJson } from '../json.ts';
import { machine } from '../machine.ts';
import { CAMERAS, demoKey, SUITES, TabletopEnvironment } from '../sim/index.ts';
import { loadSuite } from '../sim/suites.ts';

export async function benchCamera({ rounds, json }: { rounds: number; json: boolean }): Promise<void> {
  const frames: (Contestant & { geoms: number })[] = [];
  for (const suite of SUITES) {
    const task = loadSuite(suite)[0];
    const environment = await TabletopEnvironment.open(task);
    environment.reset(demoKey(task, 0, 0));
    const geoms = environment.geoms().length;
    for (const name of CAMERAS)
      frames.push({ name: `${suite} ${name}`, geoms, run: () => void environment.images([name])[name].data });
  }
  const timings = await measureInterleaved(frames, { warmup: 50, rounds });
  const result = {
    machine: machine(),
    frames: timings.map((t, i) => ({ ...t, geoms: frames[i].geoms })),
  };
  if (json) {
    process.stdout.write(`${toJson(result)}\n`);
    return;
  }
  const rows = result.frames.map(
    (f) => `| ${f.name} | ${f.geoms} | ${f.min_ms.toFixed(2)} | ${f.median_ms.toFixed(2)} | ${f.p99_ms.toFixed(2)} |`,
  );
  const { cpu, node } = result.machine;
  process.stdout.write(
    `${['| frame | geoms | min ms | median ms | p99 ms |', '|---|---|---|---|---|', ...rows, '', `128 x 128, 2 x 2 samples a pixel, ${rounds} frames each, one thread; ${cpu}, Node ${node}.`].join('\n')}\n`,
  );
}
