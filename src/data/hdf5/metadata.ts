/** What a dataset says of itself: shape, type, chunks. */
import type { Metadata } from 'h5wasm/node';
import { NinaError } from '../../errors.ts';
import { find, kindOf, once, type Place } from './links.ts';

/** The shape of a dataset, undefined where nothing of that name is there. @throws NinaError for what is no dataset. */
export function shapeOf(group: Place, name: string): number[] | undefined {
  const place = find(group, name);
  return place && (metadataOf(place).shape ?? []);
}

export function metadataOf(place: Place): Metadata {
  const kind = kindOf(place);
  if (kind !== 'dataset') throw new NinaError(`${place.title} is a ${kind}; wanted a dataset.`);
  const { file, path } = place;
  return once(file, 'metadata', path, () => file.library.module.get_dataset_metadata(file.root.file_id, path));
}

/** The largest shape that a dataset may take, Infinity where it is unlimited. */
export const maximumOf = ({ shape, maxshape }: Metadata): number[] =>
  (maxshape ?? shape)!.map((size) => (size >= 2 ** 63 ? Number.POSITIVE_INFINITY : size));
