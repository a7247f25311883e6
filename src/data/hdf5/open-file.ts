/** A file while it is open. */
import type { Hdf5Root, Library } from './library.ts';
import type { RawFile } from './raw.ts';

/** A file that is being read, and the files that its links lead into. */
export interface OpenFile {
  readonly name: string;
  readonly root: Hdf5Root;
  readonly raw: RawFile;
  readonly library: Library;
  /** Answers of the library that are asked for again and again, by question and path. */
  readonly answers: Map<string, unknown>;
  /** The file that `name` stands for; it stays open until the first one is closed. */
  open(name: string): OpenFile;
}
