/**
 * Address space as a resource that may be short (`ulimit -v`, a cluster's h_vmem). V8 ends the process when it cannot
 * reserve what a thread's code needs, and ONNX Runtime when it cannot allocate inside a destructor; neither can be
 * caught, so what is left is asked before.
 */
import * as fs from 'node:fs';
import { NinaError } from './errors.ts';

/** Bytes that may still be reserved. Only Linux says; elsewhere, and where nothing is limited, there is enough. */
function left(): number {
  const limits = '/proc/self/limits';
  if (process.platform !== 'linux' || !fs.existsSync(limits)) return Number.POSITIVE_INFINITY;
  const limit = /^Max address space +(\d+)/m.exec(fs.readFileSync(limits, 'utf8'));
  if (!limit) return Number.POSITIVE_INFINITY;
  const usedKb = /^VmSize:\s+(\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return Number(limit[1]) - 1024 * Number(usedKb?.[1] ?? 0);
}

/** WebAssembly without it checks bounds itself, and reserves some 2 GB instead of 10 GB for a memory. */
const LIGHTER = '--disable-wasm-trap-handler';
const isLighter = () => `${process.execArgv} ${process.env.NODE_OPTIONS}`.includes(LIGHTER);

/**
 * @param what needs it, as a sentence begins: 'ONNX Runtime needs'
 * @param remedy what helps beside more address space, as a sentence goes on: ', use fewer workers'
 * @throws NinaError if fewer than `bytes` are left under the process' limit.
 */
export function requireAddressSpace(what: string, bytes: number, remedy = ''): void {
  const available = left();
  if (available >= bytes) return;
  const mb = (n: number) => `${Math.round(n / 1e6)} MB`;
  throw new NinaError(
    `${what} about ${mb(bytes)} of address space; this process has ${mb(Math.max(0, available))} left under its limit. ` +
      `Raise the limit ('ulimit -v unlimited', h_vmem)${remedy}${isLighter() ? '' : `, or start with NODE_OPTIONS=${LIGHTER}`}.`,
  );
}
