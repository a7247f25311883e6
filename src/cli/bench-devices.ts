/** `nina bench devices`: whether another device computes what the CPU does, and how long both take. */
import { AGREEMENT, compareDevices, type DeviceRow } from '../bench/devices.ts';
import { cpu, onnxruntime } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { toJson } from '../json.ts';
import { machine } from '../machine.ts';

export async function benchDevices({ json }: { json: boolean }): Promise<void> {
  const device = 'webgpu';
  const rows: DeviceRow[] = [];
  for await (const row of compareDevices(cpu, onnxruntime({ device }))) {
    process.stderr.write(`${row.model}, ${row.what}: compared\n`);
    rows.push(row);
  }
  if (json)
    process.stdout.write(
      `${toJson({ machine: { ...machine(), engine: cpu.name }, device, agreement: AGREEMENT, rows })}\n`,
    );
  else process.stdout.write(table(rows, device));
  const apart = rows.filter(({ difference }) => !(difference <= AGREEMENT));
  if (apart.length > 0)
    throw new NinaError(
      `${device} computes something else than the CPU: ${apart.map(({ model, what, worst }) => `${model}, ${what} (${worst})`).join('; ')} ` +
        `differ by more than ${AGREEMENT} of the largest entry.`,
    );
}

function table(rows: readonly DeviceRow[], device: string): string {
  const lines = rows.map(
    ({ model, what, difference, cpu_ms, device_ms }) =>
      `| ${model} | ${what} | ${difference.toExponential(1)} | ${cpu_ms.toFixed(2)} | ${device_ms.toFixed(2)} |`,
  );
  return `${[`| model | what | worst difference | cpu ms | ${device} ms |`, '|---|---|---|---|---|', ...lines].join('\n')}\n`;
}
