/** What an import did, for people. */
import { decoderOf } from '../decoders/index.ts';
import { encoderOf } from '../encoders/index.ts';
import type { Imported } from './import.ts';

export function describeImport({ kind, directory, config: { encoder, decoder }, notes, left }: Imported): string {
  const lines = [
    ['wrote', `${directory}, ${kind === 'policy' ? 'a checkpoint' : 'the folder of an encoder'}`],
    ['encoder', encoder.name],
    ...encoderOf(encoder).describe(encoder),
    ...(decoder ? [['decoder', decoderOf(decoder).describe(decoder)] as const] : []),
    ...notes.map((note) => ['note', note] as const),
    ...Object.entries(left).map(([why, names]) => ['left out', `${why}: ${abridged(names)}`] as const),
    ['self-test', 'recorded'],
  ] as const;
  return lines.map(([name, value]) => `${name.padEnd(12)}${value}\n`).join('');
}

/** More patterns than these are told by what they begin with; --json has every name. */
const MOST = 8;

/** Names that differ in numbers alone count as one. */
function abridged(names: readonly string[]): string {
  const alike = [...new Set(names.map((name) => name.replace(/\.\d+(?=\.|$)/g, '.*')))];
  const shown = alike.length > MOST ? [`${commonStart(alike)}*`] : alike;
  return `${names.length} tensor${names.length === 1 ? '' : 's'}, ${shown.join(', ')}`;
}

function commonStart([first, ...others]: readonly string[]): string {
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}
