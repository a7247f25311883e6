/** Runs something built from a specimen once. */

import { cpu } from '../../src/engine/index.ts';
import type { Bijection } from '../../src/flows/index.ts';
import { input, symbols, type Tensor } from '../../src/tensor/index.ts';
import { C, type Specimen } from './registry.ts';

export type Build = (
  flow: Bijection,
  inputs: Record<string, Tensor>,
  parameters: Readonly<Record<string, Tensor>>,
) => Record<string, Tensor>;

/** @param data 'cond' [B, C] and any others [B, n]: the inputs of the same names. */
export async function evaluate(
  specimen: Specimen,
  data: { cond: Float32Array; [name: string]: Float32Array },
  build: Build,
): Promise<Record<string, Float32Array>> {
  const rows = data.cond.length / C;
  const inputs = Object.fromEntries(
    Object.entries(data).map(([name, values]) => [name, input(name, [rows, values.length / rows])]),
  );
  const inverses = specimen.inverses?.(specimen.params);
  const p = symbols(specimen.params);
  const flow = specimen.bind(p, inputs.cond, inverses && input('inverses', inverses.shape));
  using program = await cpu.compile(build(flow, inputs, p));
  const all = {
    ...data,
    ...Object.fromEntries(Object.entries(specimen.params).map(([name, leaf]) => [name, leaf.data])),
    ...(inverses && { inverses: inverses.data }),
  };
  return await program.run(
    Object.fromEntries(Object.entries(all).filter(([name]) => name in program.signature.inputs)),
  );
}
