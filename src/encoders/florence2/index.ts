/** Florence-2 (arXiv 2311.06242) as FLOWER and NinA use it: pictures and an instruction to tokens, at every size. */
import { florence2 } from './encoder.ts';
import { ANY, BASE, LARGE, NANO } from './presets.ts';

/** One member of the registry per preset, and one of any sizes. */
export const FLORENCE2 = [NANO, BASE, LARGE, ANY].map(florence2);
