/**
 * Pickles as data. Python's pickle is a program for a stack machine that may call anything; ours knows the few types of a
 * torch checkpoint and calls nothing. Whatever else a pickle asks for becomes a `Skipped`: a name in the tree, which no code
 * of ours ever acts on. (Protocols 0 to 5, as CPython's Lib/pickletools.py lists them.)
 */
import { Machine, type PickleValue } from './pickle-machine.ts';
import { operations } from './pickle-operations.ts';

/**
 * What a pickle describes.
 * @param where how messages name it
 * @throws NinaError for what is no whole pickle, or of no meaning.
 */
export function readPickle(bytes: Uint8Array, where: string): PickleValue {
  const machine = new Machine(bytes, where);
  for (;;) {
    const code = machine.byte();
    if (code === STOP) return machine.pop();
    const operation = operations[code];
    if (!operation) throw machine.wrong(`the operation 0x${code.toString(16)} is not one that torch.save writes`);
    operation(machine);
  }
}

const STOP = '.'.charCodeAt(0);
