/** What a measured time depends on beside the code. */
import * as os from 'node:os';
import { packageVersion } from './version.ts';

export function machine(): { cpu: string; cores: number; node: string; package: string } {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    node: process.version,
    package: packageVersion,
  };
}
