/** `nina export`: a checkpoint as ONNX files for any runtime. */
import type { Command } from 'commander';
import { Option } from 'commander';
import { toJson } from '../json.ts';
import { EXPORT_PARTS, type ExportPart } from '../policy/parts.ts';
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
        'decoder: noise and condition to actions; log-prob: actions and condition to their log-probability; encoder: state to condition',
      )
        .choices(EXPORT_PARTS)
        .default('decoder'),
    )
    .option('--batch <n>', 'rows of one call', integer(1), 1)
    .option('--json', 'print JSON', false)
    .action(async (checkpoint: string, { onnx: file, part, batch, json }: Options) => {
      const { exportModel, readCheckpoint, requireOutsideCheckpoints } = await import('../policy/index.ts');
      const { writeFileAtomically } = await import('../files.ts');
      requireOutsideCheckpoints(file);
      const { bytes, signature, opset, metadata } = exportModel(readCheckpoint(checkpoint), part, batch);
      writeFileAtomically(file, bytes);
      const { inputs, outputs } = signature;
      if (json) {
        process.stdout.write(`${toJson({ file, bytes: bytes.length, opset, inputs, outputs, metadata })}\n`);
        return;
      }
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
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}
