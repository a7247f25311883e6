/** Demonstration files for tests: good ones, and ones spoiled through HDF5. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import h5wasm from 'h5wasm/node';
import { afterAll } from 'vitest';
import { type Demonstration, DemonstrationWriter, type TaskHeader } from '../../src/data/index.ts';
import { fold, key } from '../../src/random.ts';
import { demonstration, header } from './synthetic.ts';

export type Root = InstanceType<typeof h5wasm.File>;
export type Group = InstanceType<typeof h5wasm.Group>;
export type Dataset = InstanceType<typeof h5wasm.Dataset>;

/** A folder that is gone after the tests, and how to put files into it. */
export function workshop(name: string) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `nina-${name}-`));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const at = (...names: string[]) => path.join(folder, ...names);

  async function write(file: string, demos: readonly Demonstration[], task: TaskHeader = header): Promise<string> {
    using writer = await DemonstrationWriter.open(at(file), task);
    for (const demo of demos) writer.append(demo);
    writer.commit({ seed: 7, attempts: 5 });
    return at(file);
  }

  /** Writes a good file of as many demonstrations as `steps` has entries, then lets `change` spoil it. */
  async function spoiled(file: string, steps: readonly number[], change: (root: Root) => void): Promise<string> {
    const written = await write(
      file,
      steps.map((count, i) => demonstration(fold(key(1), i), count)),
    );
    return edit(written, change);
  }

  return { folder, at, write, spoiled };
}

/** Changes a file through HDF5. */
export async function edit(file: string, change: (root: Root) => void): Promise<string> {
  await h5wasm.ready;
  const root = new h5wasm.File(file, 'a');
  try {
    change(root);
  } finally {
    root.close();
  }
  return file;
}
