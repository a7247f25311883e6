/**
 * Does an exported policy do what ours does? The question of the checkpoint's self-test is put to the file, run by ONNX
 * Runtime as any program would, and to our own engine. The report holds question and answer, so that any other runtime can be
 * asked as well (bench/check_onnx.py does).
 */
import { cpu } from '../engine/index.ts';
import { loadRuntime } from '../engine/onnxruntime-node.ts';
import { hashFile } from '../file-hash.ts';
import { observationFromJson } from '../robot/index.ts';
import type { DType, Shape } from '../tensor/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import { observationWriter } from './compiled-encoder.ts';
import { type ExportedModel, policyGraph } from './export.ts';

export interface ExportReport {
  /** Of the file. */
  readonly sha256: string;
  /** What ran it. */
  readonly runtime: string;
  /** Largest difference of an action from our own engine's, and the most that another order of sums explains. */
  readonly difference: number;
  readonly limit: number;
  readonly pass: boolean;
  readonly inputs: readonly { name: string; dtype: DType; shape: Shape; data: number[] }[];
  /** As the file answered: another build of the same runtime does so to the last digits. */
  readonly outputs: readonly { name: string; shape: Shape; data: number[] }[];
}

/** Sums in another order, which a flow of 28 layers and random weights turns into 1e-5; a wrong weight moves actions by far more. */
const LIMIT = 1e-4;

/** @param file where the model of the part 'policy' was written */
export async function reportExport(
  checkpoint: Checkpoint,
  { signature }: ExportedModel,
  batch: number,
  file: string,
): Promise<ExportReport> {
  const { observation, z } = checkpoint.manifest.self_test;
  const one = { ...observationWriter(checkpoint)(observationFromJson(observation)), z: Float32Array.from(z) };
  const feeds = Object.fromEntries(
    Object.keys(signature.inputs).map((name) => [name, repeated(one[name as keyof typeof one], batch)]),
  );
  using program = await cpu.compile(policyGraph(checkpoint, 'policy', batch));
  const ours = (await program.run(feeds)).actions;

  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(([name, data]) => {
    const { shape, dtype } = signature.inputs[name];
    return [name, new Tensor(dtype, data as never, shape)];
  });
  const results = await session.run(Object.fromEntries(tensors)).finally(() => session.release());
  const theirs = results.actions.data as Float32Array;
  const difference = ours.reduce((most, v, i) => Math.max(most, Math.abs(v - theirs[i])), 0);
  return {
    sha256: hashFile(file),
    runtime: cpu.name,
    difference,
    limit: LIMIT,
    pass: difference <= LIMIT,
    inputs: Object.entries(feeds).map(([name, data]) => {
      const { shape, dtype } = signature.inputs[name];
      return { name, dtype, shape, data: Array.from<number | bigint, number>(data, Number) };
    }),
    outputs: [{ name: 'actions', shape: signature.outputs.actions.shape, data: Array.from(theirs) }],
  };
}

function repeated<A extends Float32Array | BigInt64Array>(row: A, batch: number): A {
  const out = new (row.constructor as new (n: number) => A)(row.length * batch);
  for (let b = 0; b < batch; b++) out.set(row as never, b * row.length);
  return out;
}
