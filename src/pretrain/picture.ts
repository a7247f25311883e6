/**
 * Held-out scenes as one SVG, both views side by side: where each named thing is (a ring) and where the encoder points (a
 * cross), in the colour of its name.
 */

import type { Picture } from '../robot/index.ts';
import { deflateRows, PNG_SIGNATURE, pngChunk, pngHeader } from '../sim/camera/png.ts';
import type { CameraName } from '../sim/index.ts';
import type { GroundingShape } from './arrays.ts';
import type { Judged } from './evaluate.ts';
import { measureNames } from './pointing.ts';

/** Side of a picture, and the gap around it, in pixels. */
const SIDE = 224;
const GAP = 8;
const LINE = 13;
const COLOURS = ['#e6194b', '#3cb44b', '#ffe119', '#4363d8', '#f58231', '#911eb4', '#42d4f4', '#f032e6'];

/** @param scenes how many to show, from the first */
export function groundingPicture(shape: GroundingShape, { truths, said }: Judged, scenes: number): string {
  const { views } = shape.encoder;
  const pointed = measureNames(shape, truths, said.names);
  const shown = truths.slice(0, scenes);
  const height = SIDE + GAP + LINE * (shape.names + 1);
  const parts = shown.flatMap(({ names, scene }, row) =>
    views.flatMap((view, v) => {
      const [left, top] = [GAP + v * (SIDE + GAP), GAP + row * height];
      const href = `data:image/png;base64,${png(scene.images[view as CameraName]).toString('base64')}`;
      const marks = pointed
        .filter((one) => one.row === row && one.view === view && one.truth)
        .map(({ name, point, truth }) => {
          const colour = COLOURS[names.indexOf(name) % COLOURS.length];
          const [x, y] = [left + SIDE * point.x, top + SIDE * point.y];
          const ring = `<circle cx="${left + SIDE * truth!.x}" cy="${top + SIDE * truth!.y}" r="6"/>`;
          return `<g stroke="${colour}" fill="none" stroke-width="2">${ring}<path d="M${x - 5} ${y}h10M${x} ${y - 5}v10"/></g>`;
        });
      const words =
        v > 0
          ? []
          : names.map(
              (name, k) =>
                `<text x="${left}" y="${top + SIDE + LINE * (k + 1)}" fill="${COLOURS[k % COLOURS.length]}">${name.replaceAll('_', ' ')}</text>`,
            );
      return [`<image x="${left}" y="${top}" width="${SIDE}" height="${SIDE}" href="${href}"/>`, ...marks, ...words];
    }),
  );
  const [w, h] = [GAP + views.length * (SIDE + GAP), GAP + shown.length * height];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" font-family="sans-serif" font-size="11" style="background:#222">\n${parts.join('\n')}\n</svg>\n`;
}

function png({ width, height, data }: Picture): Buffer {
  const opaque = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) opaque.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
  const pixels = pngChunk('IDAT', deflateRows(opaque, 4 * width));
  return Buffer.concat([PNG_SIGNATURE, pngHeader(width, height), pixels, pngChunk('IEND', new Uint8Array())]);
}
