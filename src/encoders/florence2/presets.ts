/** The sizes there are: Microsoft's two, one that a laptop trains, and any other. */
import type { Florence2Sizes, Preset } from './config.ts';

const FLORENCE = {
  depths: [1, 1, 9, 1],
  patch_sizes: [7, 3, 3, 3],
  strides: [4, 2, 2, 2],
  pads: [3, 1, 1, 1],
  window: 12,
  vocabulary: 51_289,
  positions: 1024,
} satisfies Partial<Florence2Sizes>;

/** The reference's prompt, with its two spaces. */
const REFERENCE = {
  upside_down: true,
  max_text: 48,
  prompt: 'Agent Type: 1-arm Franka Panda, Action Space: Delta End-Effector,  Task Instruction: {instruction}',
};

/** 173,913,856 parameters (and a token). */
export const BASE: Preset = {
  name: 'florence2-base',
  sizes: {
    ...FLORENCE,
    dims: [128, 256, 512, 1024],
    heads: [4, 8, 16, 32],
    groups: [4, 8, 16, 32],
    width: 768,
    layers: 6,
    encoder_heads: 12,
    ffn: 3072,
  },
  defaults: REFERENCE,
};

/** 567,561,216 parameters (and a token). */
export const LARGE: Preset = {
  name: 'florence2-large',
  sizes: {
    ...FLORENCE,
    dims: [256, 512, 1024, 2048],
    heads: [8, 16, 32, 64],
    groups: [8, 16, 32, 64],
    width: 1024,
    layers: 12,
    encoder_heads: 16,
    ffn: 4096,
  },
  defaults: REFERENCE,
};

/** A last stride of 1 keeps maps of 7 x 7: cells of 4 x 4 are too coarse to point at things. */
export const NANO: Preset = {
  name: 'florence2-nano',
  sizes: {
    dims: [24, 48, 96, 128],
    heads: [1, 2, 4, 4],
    groups: [1, 2, 4, 4],
    depths: [1, 1, 2, 1],
    patch_sizes: [7, 3, 3, 3],
    strides: [4, 2, 2, 1],
    pads: [3, 1, 1, 1],
    window: 7,
    width: 192,
    layers: 2,
    encoder_heads: 6,
    ffn: 768,
    vocabulary: 1024,
    positions: 256,
  },
  defaults: { upside_down: false, max_text: 32, prompt: '{instruction}' },
};

/** Sizes of one's own. */
export const ANY: Preset = { name: 'florence2', defaults: REFERENCE };
