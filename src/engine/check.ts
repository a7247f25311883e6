/** What a program is run with must fit what it was compiled for, whichever engine runs it. */
import type { Signature } from '../tensor/onnx/emit.ts';
import { show, size } from '../tensor/tensor.ts';
import type { Feed } from './engine.ts';

/** @throws Error naming a missing, unknown or wrongly sized feed, or an array for an output that is not there or of another size. */
export function checkRun(
  { inputs, outputs }: Signature,
  feeds: Readonly<Record<string, Feed>>,
  into: Readonly<Record<string, Float32Array>>,
): void {
  for (const name of Object.keys(feeds))
    if (!(name in inputs))
      throw new Error(`The program has no input ${name}; it has ${Object.keys(inputs).join(', ')}.`);
  for (const [name, { shape, dtype }] of Object.entries(inputs)) {
    const array = feeds[name];
    if (!array) throw new Error(`Input ${name} ${show(shape)} was not fed.`);
    if (array.length !== size(shape) || array instanceof BigInt64Array !== (dtype === 'int64'))
      throw new Error(
        `Input ${name} needs ${size(shape)} ${dtype} numbers for shape ${show(shape)}; got ${array.length} in a ${array.constructor.name}.`,
      );
  }
  for (const [name, array] of Object.entries(into)) {
    if (!(name in outputs))
      throw new Error(`The program has no output ${name}; it has ${Object.keys(outputs).join(', ')}.`);
    const { shape } = outputs[name];
    if (array.length !== size(shape))
      throw new Error(`Output ${name} ${show(shape)} needs an array of ${size(shape)}; got ${array.length}.`);
  }
}
