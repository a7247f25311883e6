/** Where the encoder points for each name in each view of a held-out scene, beside where the named thing is. */
import { tokensPerView } from '../encoders/florence2/config.ts';
import { hypot } from '../math.ts';
import type { CameraName } from '../sim/index.ts';
import type { GroundingShape } from './arrays.ts';
import type { Truth } from './batch-worker.ts';
import { cellOf, NOT_VISIBLE, type Point, pointAt } from './cells.ts';
import { meantBy } from './examples.ts';
import { ASKED } from './heads.ts';
import { onPlane } from './plane.ts';
import { pointIn } from './write.ts';

export interface Pointed {
  /** Number of the scene among those asked about. */
  readonly row: number;
  readonly view: string;
  readonly name: string;
  /** The most likely place among the cells. */
  readonly point: Point;
  /** Whether a thing of that name is in view, and then the nearest one. */
  readonly visible: boolean;
  readonly truth?: Point;
  /** Whether the most likely candidate, 'not to be seen' included, is one that is right. */
  readonly right: boolean;
  /** From the nearest thing of that name: in the encoder's picture, and on the plane of its height. NaN when none is in view. */
  readonly pixels: number;
  readonly cm: number;
}

/** A ray that misses the plane, or meets it beyond, is as wrong as can be on a table. */
const MOST_CM = 100;

/** @param names scores and offsets [B, K, 3, V, C] */
export function measureNames(
  { encoder, names: K }: GroundingShape,
  truths: readonly Truth[],
  names: Float32Array,
): Pointed[] {
  const { views, image_size } = encoder;
  const [V, C] = [views.length, tokensPerView(encoder)];
  const side = Math.sqrt(C - 1);
  const all: Pointed[] = [];
  truths.forEach(({ names: asked, scene }, row) => {
    asked.forEach((name, k) => {
      views.forEach((view, v) => {
        const said = (which: number, candidate: number) =>
          names[(((row * K + k) * ASKED + which) * V + v) * C + candidate];
        let cell = 1;
        for (let c = 2; c < C; c++) if (said(0, c) > said(0, cell)) cell = c;
        const chosen = said(0, NOT_VISIBLE) > said(0, cell) ? NOT_VISIBLE : cell;
        const point = pointAt(cell, [said(1, cell), said(2, cell)], side);
        const things = meantBy(name, scene.objects)
          .flatMap((object) => {
            const at = pointIn({ shifts: [] }, encoder, object, v);
            return at ? [{ at, position: object.position }] : [];
          })
          .map(({ at, position }) => {
            const hit = onPlane(scene.cameras[view as CameraName], point, position[2]);
            const cm = hit ? 100 * hypot(hit[0] - position[0], hit[1] - position[1]) : MOST_CM;
            const pixels = image_size * hypot(at.x - point.x, at.y - point.y);
            return { at, pixels, cm: Math.min(cm, MOST_CM) };
          })
          .sort((a, b) => a.pixels - b.pixels);
        const nearest = things.at(0);
        const rightCells = nearest ? things.map(({ at }) => cellOf(at, side)) : [NOT_VISIBLE];
        all.push({
          ...{ row, view, name, point, visible: nearest !== undefined, truth: nearest?.at },
          right: rightCells.includes(chosen),
          pixels: nearest?.pixels ?? Number.NaN,
          cm: nearest?.cm ?? Number.NaN,
        });
      });
    });
  });
  return all;
}
