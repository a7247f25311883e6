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

/** Names that differ in numbers alone count as one. */
function abridged(names: readonly string[]): string {
  const alike = new Set(names.map((name) => name.replace(/\.\d+(?=\.|$)/g, '.*')));
  return `${names.length} tensor${names.length === 1 ? '' : 's'}, ${[...alike].join(', ')}`;
}
