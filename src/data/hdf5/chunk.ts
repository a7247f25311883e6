/** One chunk of a dataset, where it is in the file. */
export interface Chunk {
  /** Its place in the grid of chunks, one number per dimension. */
  place: number[];
  address: number;
  /** Bytes in the file; undefined where no filter changes its size. */
  size: number | undefined;
  /** Bit i is set where filter i was skipped. */
  mask: number;
}
