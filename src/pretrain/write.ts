/** One example as numbers: row `row` of a batch's arrays. */

import { tokensPerView } from '../encoders/florence2/config.ts';
import { preprocess } from '../encoders/florence2/pictures.ts';
import type { Tokenizer } from '../encoders/florence2/words.ts';
import type { Arrays } from '../encoders/index.ts';
import { NinaError } from '../errors.ts';
import type { CameraName } from '../sim/index.ts';
import { type GroundingShape, NAME_TOKENS } from './arrays.ts';
import { cellOf, NOT_VISIBLE, offsetIn, type Point } from './cells.ts';
import { type Example, HAND, meantBy } from './examples.ts';
import { POINTED, READOUT_SIZE, rolesOf, writeReadout } from './readout.ts';

type Objects = Example['scene']['objects'];

export function writeExample(
  { encoder, names: K, phrases: Q }: GroundingShape,
  tokenizer: Tokenizer,
  example: Example,
  arrays: Arrays,
  row: number,
): void {
  const { scene, names, phrases } = example;
  const { image_size: P, max_text: L, views } = encoder;
  const float = (name: string) => arrays[name] as Float32Array;
  const int = (name: string) => arrays[name] as BigInt64Array;
  const C = tokensPerView(encoder);
  const V = views.length;

  views.forEach((view, v) => {
    const options = { size: P, upsideDown: encoder.upside_down, shift: example.shifts[v] };
    preprocess(scene.images[view as CameraName], options, float('florence2.pixels'), (row * V + v) * 3 * P * P);
  });

  /** One thing asked for: the cells [V, C] and offsets [2, V, C] of the objects that are meant, each of which is right. */
  const writeCells = (what: 'name' | 'role', at: number, meant: Objects) => {
    const cells = float(`${what}.cells`)
      .subarray(at * V * C, (at + 1) * V * C)
      .fill(0);
    const offsets = float(`${what}.offsets`)
      .subarray(at * 2 * V * C, (at + 1) * 2 * V * C)
      .fill(0);
    views.forEach((_, v) => {
      const points = meant.map((object) => pointIn(example, encoder, object, v)).filter((point) => point !== undefined);
      if (points.length === 0) cells[v * C + NOT_VISIBLE] = 1;
      for (const point of points) {
        const cell = cellOf(point, Math.sqrt(C - 1));
        cells[v * C + cell] += 1 / points.length;
        offsetIn(cell, point, Math.sqrt(C - 1)).forEach((offset, axis) => {
          offsets[(axis * V + v) * C + cell] = offset;
        });
      }
    });
  };

  names.forEach((name, k) => {
    const ids = tokenizer.encode(name).slice(1, -1);
    requireLength(name, ids.length, NAME_TOKENS);
    const at = (row * K + k) * NAME_TOKENS;
    for (let i = 0; i < NAME_TOKENS; i++) {
      int('name.ids')[at + i] = BigInt(ids[i] ?? 0);
      float('name.share')[at + i] = i < ids.length ? 1 / ids.length : 0;
    }
    writeCells('name', row * K + k, meantBy(name, scene.objects));
  });

  phrases.forEach(({ text, objects }, q) => {
    const ids = read(encoder, tokenizer, text);
    requireLength(text, ids.length, L);
    const at = (row * Q + q) * L;
    for (let i = 0; i < L; i++) {
      const inner = i > 0 && i < ids.length - 1;
      int('florence2.ids')[at + i] = BigInt(ids[i] ?? tokenizer.id('<pad>') ?? 0);
      float('florence2.real')[at + i] = i < ids.length && !(inner && example.isDropped(q, i)) ? 1 : 0;
    }
    const roles = rolesOf(objects);
    POINTED.forEach((role, r) => {
      const meant = role === 'hand' ? meantBy(HAND, scene.objects)[0] : scene.objects[roles[role] ?? -1];
      const slot = (row * Q + q) * POINTED.length + r;
      writeCells('role', slot, meant ? [meant] : []);
      if (!meant) float('role.cells').fill(0, slot * V * C, (slot + 1) * V * C);
    });
    const positions = Object.fromEntries(Object.entries(roles).map(([role, i]) => [role, scene.objects[i].position]));
    const slot = (row * Q + q) * READOUT_SIZE;
    writeReadout(scene.state, positions, float('readout.wanted'), float('readout.known'), slot);
  });
}

/** Where an object is in the encoder's picture of a view, which may be shifted; undefined when it is not to be seen there. */
export function pointIn(
  { shifts }: Pick<Example, 'shifts'>,
  { image_size: P, views }: GroundingShape['encoder'],
  object: Objects[number],
  v: number,
): Point | undefined {
  const { x, y, visible } = object.views[views[v] as CameraName];
  const { pad, dx, dy } = shifts[v] ?? { pad: 0, dx: 0, dy: 0 };
  const point = { x: x + (pad - dx) / P, y: y + (pad - dy) / P };
  return visible && cellOf(point, 1) !== NOT_VISIBLE ? point : undefined;
}

/** The ids that the encoder reads for a phrase. */
const read = ({ prompt }: GroundingShape['encoder'], tokenizer: Tokenizer, text: string) =>
  tokenizer.encode(prompt.replace('{instruction}', () => text));

/** Whether a phrase is short enough for the encoder. */
export const fitsInto = (encoder: GroundingShape['encoder'], tokenizer: Tokenizer) => (text: string) =>
  read(encoder, tokenizer, text).length <= encoder.max_text;

function requireLength(text: string, tokens: number, most: number): void {
  if (tokens > most)
    throw new NinaError(
      `'${text}' has ${tokens} tokens, and pretraining reads at most ${most}. Make it shorter, or have pretraining read more.`,
    );
}
