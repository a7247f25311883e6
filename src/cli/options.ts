/** Parsers for option values: commander prints their message with the option's name, and exits with code 2. */
import * as os from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { NODE_DEVICES } from '../engine/engine.ts';
import { MAX_EPISODES } from '../rollout/limits.ts';

/** An integer in [low, high]. */
export function integer(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(`Wanted an integer ${range(low, high)}; got '${text}'.`);
    return value;
  };
}

/** A finite number in [low, high]. */
export function number(low: number, high = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high)
      throw new InvalidArgumentError(`Wanted a number ${range(low, high)}; got '${text}'.`);
    return value;
  };
}

/** Episodes of one task. */
export const episodes = integer(1, MAX_EPISODES);
/** Worker threads or processes: each holds an engine and a simulator of its own. */
export const workers = integer(1, 256);

/** Worker threads when `--workers` is not given: one a core. */
export const defaultWorkers = os.availableParallelism();

/** What computes graphs: it changes last digits alone. */
export const deviceOption = (of = ''): Option =>
  new Option('--device <name>', `what computes${of && ' '}${of}; webgpu: the graphics card`)
    .choices(NODE_DEVICES)
    .default('cpu');

function range(low: number, high: number): string {
  return high >= Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
}
