/**
 * Where something is in a picture, as a choice among candidates and an offset: candidate 0 says that it is not to be
 * seen, candidate 1 + row * side + column is a cell of the picture. These are the tokens of one view: the mean token, then
 * the N = side^2 tokens of its map.
 */

/** A point of a picture in [0, 1], y down. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Candidate 0. */
export const NOT_VISIBLE = 0;

const inside = (v: number) => v >= 0 && v < 1;

/** The candidate that holds a point; 0 for a point outside the picture. */
export function cellOf({ x, y }: Point, side: number): number {
  return inside(x) && inside(y) ? 1 + Math.floor(y * side) * side + Math.floor(x * side) : NOT_VISIBLE;
}

/** Of a point inside a cell: from the cell's centre, in cells, so within [-0.5, 0.5). */
export function offsetIn(cell: number, { x, y }: Point, side: number): [x: number, y: number] {
  const { x: cx, y: cy } = centreOf(cell, side);
  return [(x - cx) * side, (y - cy) * side];
}

/** The point at an offset (in cells) from a cell's centre. */
export function pointAt(cell: number, [x, y]: readonly [number, number], side: number): Point {
  const centre = centreOf(cell, side);
  return { x: centre.x + x / side, y: centre.y + y / side };
}

function centreOf(cell: number, side: number): Point {
  const at = cell - 1;
  return { x: ((at % side) + 0.5) / side, y: (Math.floor(at / side) + 0.5) / side };
}
