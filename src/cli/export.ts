/** `nina export`: a checkpoint as ONNX files for any runtime. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { NinaError } from '../errors.ts';
import { writeAtomically, writeFileAtomically } from '../files.ts';
import { toJson } from '../json.ts';
import type { Checkpoint } from '../policy/index.ts';
import { EXPORT_PARTS, type ExportPart } from '../policy/parts.ts';
import type { NDArray } from '../tensor/index.ts';
import { leaves } from '../tensor/index.ts';
import type { WeightsFile } from '../tensor/onnx/emit.ts';
import { integer } from './options.ts';

interface Options {
  onnx: string;
  part: ExportPart;
  batch: number;
  json: boolean;
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write a part of a policy as an ONNX model, with where it comes from in its metadata')
    .argument('<checkpoint>', "a checkpoint, or a training run's folder (its newest checkpoint)")
    .requiredOption('--onnx <file>', 'where to write the model')
    .addOption(
      new Option(
        '--part <name>',
        'decoder: noise and condition to actions; log-prob: actions and condition to their log-probability; encoder: observation to condition; policy: observation and noise to actions',
      )
        .choices(EXPORT_PARTS)
        .default('decoder'),
    )
    .option('--batch <n>', 'rows of one call', integer(1), 1)
    .option('--json', 'print JSON', false)
    .action(async (checkpoint: string, { onnx: file, part, batch, json }: Options) => {
      const { exportModel, readCheckpoint, reportExport, requireOutsideCheckpoints } = await import(
        '../policy/index.ts'
      );
      requireOutsideCheckpoints(file);
      const read = readCheckpoint(checkpoint);
      const exported = withWeights(file, part === 'encoder' || part === 'policy' ? weightBytes(read) : 0, (weights) =>
        exportModel(read, part, batch, weights),
      );
      const { bytes, signature, opset, metadata } = exported;
      writeFileAtomically(file, bytes);
      const report = part === 'policy' ? await reportExport(read, exported, batch, file) : undefined;
      const reported = `${file.replace(/\.onnx$/, '')}.json`;
      if (report) writeFileAtomically(reported, `${toJson(report)}\n`);
      const { inputs, outputs } = signature;
      const { difference, limit, pass } = report ?? {};
      if (json) {
        const parity = report && { report: reported, difference, limit, pass };
        process.stdout.write(`${toJson({ file, bytes: bytes.length, opset, inputs, outputs, metadata, ...parity })}\n`);
      }
      if (pass === false)
        throw new NinaError(
          `${file} answers ${difference} away from the policy, more than the ${limit} that rounding explains: do not use it. ${reported} holds what it was asked.`,
        );
      if (json) return;
      const shapes = (tensors: Record<string, { shape: readonly number[] }>) =>
        Object.entries(tensors)
          .map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
          .join(', ');
      const clamped = part === 'decoder' ? ['Its actions are not clamped: clamp them to [-1, 1].'] : [];
      const lines = [
        `${file}: ${(bytes.length / 1e6).toFixed(1)} MB, float32, operators of ai.onnx ${opset} only`,
        `inputs   ${shapes(inputs)}`,
        `outputs  ${shapes(outputs)}`,
        ...clamped,
        ...(report
          ? [
              `asked what the checkpoint's self-test asks, it answers within ${difference?.toExponential(0)} of the policy (${reported})`,
            ]
          : []),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

/** A model ends at 2 GiB; from here on its weights have a file of their own, '<file>.data', which belongs beside it. */
const MOST_INSIDE = 1.5e9;

function withWeights<T>(file: string, bytes: number, write: (weights?: WeightsFile) => T): T {
  if (bytes < MOST_INSIDE) return write();
  const beside = `${file}.data`;
  let result: T | undefined;
  writeAtomically(beside, (draft) => {
    const append = (piece: Uint8Array) => fs.appendFileSync(draft, piece);
    result = write({ name: path.basename(beside), append });
  });
  return result as T;
}

const weightBytes = ({ model: { params } }: Checkpoint): number =>
  leaves<NDArray>(params).reduce((n, [, { data }]) => n + data.byteLength, 0);
