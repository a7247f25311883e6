/** An encoder of Florence-2's form that learns in milliseconds, and a scene that was made up. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Florence2Config } from '../../src/encoders/florence2/config.ts';
import type { GroundingScene } from '../../src/sim/grounding/index.ts';

export const TINY: Florence2Config = {
  name: 'florence2',
  ...{ dims: [4, 8, 8, 8], heads: [1, 1, 2, 2], groups: [1, 1, 2, 2], depths: [1, 1, 1, 1] },
  ...{ patch_sizes: [7, 3, 3, 3], strides: [4, 2, 2, 1], pads: [3, 1, 1, 1], window: 4 },
  ...{ width: 16, layers: 1, encoder_heads: 2, ffn: 32, vocabulary: 1024, positions: 80 },
  ...{ image_size: 64, views: ['agentview', 'eye_in_hand'], upside_down: false, max_text: 32, prompt: '{instruction}' },
  ...{ shifts: [6, 2], proprio: false, dropout: 0.1, token_dropout: 0.1, drop_path: 0.1 },
};

/** Of florence2-nano. */
export const tokenizerJson = (): string =>
  fs.readFileSync(path.join(import.meta.dirname, '../../pretrained/florence2-nano/tokenizer.json'), 'utf8');

const picture = (value: number) => ({ width: 128, height: 128, data: new Uint8Array(128 * 128 * 3).fill(value) });

/** Both cameras look straight down from 2 m and see a square of 4 m on the floor. */
const above = { position: [0, 0, 2] as const, rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1], fovyDeg: 90 };

/** Where a thing at this place is seen. */
const seen = (x: number, y: number, z: number, visible = true) => {
  const reach = 2 - z;
  return { x: 0.5 + x / (2 * reach), y: 0.5 - y / (2 * reach), visible };
};

/** A bowl that the wrist does not see, two plates of which it sees one, milk behind both cameras' backs. */
export function madeUpScene(): GroundingScene {
  const object = (category: string, [x, y, z]: [number, number, number], front: boolean, wrist: boolean) => ({
    category,
    position: [x, y, z] as const,
    views: { agentview: seen(x, y, z, front), eye_in_hand: seen(x, y, z, wrist) },
  });
  return {
    images: { agentview: picture(200), eye_in_hand: picture(90) },
    cameras: { agentview: above, eye_in_hand: above },
    state: Float32Array.of(0.1, -0.2, 0.3, 1, 0, 0, 0, 1, 0, 0.03, -0.01),
    objects: [
      object('black_bowl', [0.3, 0.4, 0.05], true, false),
      object('plate', [-0.7, 0.2, 0], true, true),
      object('plate', [0.9, -1.1, 0], true, false),
      object('milk', [0, 0, 0.1], false, false),
    ],
    phrases: [
      { text: 'pick up the bowl and place it on the left plate', objects: [0, 1] },
      { text: 'the bowl', objects: [0] },
    ],
  };
}
