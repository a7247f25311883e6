/**
 * The z-buffer: fills triangles given in screen coordinates and averages the samples into pixels.
 *
 * Corners lie on a grid of 1/64 sample, so the edge functions are integers that float64 holds exactly: two triangles
 * that share an edge leave no gap and no overlap (the top-left rule), and the result is the same to the bit on any machine.
 * The buffer keeps 1/depth, which is affine over the screen; larger is nearer.
 */

/** Grid steps per sample. A power of two. */
export const SUBPIXELS = 64;
const HALF = SUBPIXELS / 2;
/** Samples per pixel in each direction: 2 x 2, averaged. */
const SUPERSAMPLING = 2;

/** Corners: x right, y down in grid steps (integers), 1 / depth in 1/m, brightness in [0, 1]. */
export interface Corners {
  x: Float64Array;
  y: Float64Array;
  inverseDepth: Float64Array;
  shade: Float64Array;
}

export interface Raster {
  /** Samples: SUPERSAMPLING times the pixels. */
  readonly width: number;
  readonly height: number;
  /** Forgets everything and paints the background, 0xBBGGRR. */
  clear(background: number): void;
  /**
   * Draws the triangle with corners a, b, c if they run anticlockwise on the screen. Colour channels in [0, 255].
   * @param group in [0, 255], of what `samplesOf` counts; absent: 0
   */
  triangle(
    corners: Corners,
    a: number,
    b: number,
    c: number,
    red: number,
    green: number,
    blue: number,
    group?: number,
  ): void;
  /** Averages into RGB, row 0 on top. */
  resolve(out: Uint8Array): void;
  /** [256] how many samples show each group; 0 is also the background's. */
  samplesOf(): Uint32Array;
}

/** @param widthPx @param heightPx size of the image in pixels */
export function createRaster(widthPx: number, heightPx: number): Raster {
  const width = widthPx * SUPERSAMPLING;
  const height = heightPx * SUPERSAMPLING;
  const depth = new Float32Array(width * height);
  const colour = new Uint32Array(width * height);

  function triangle(
    v: Corners,
    a: number,
    b: number,
    c: number,
    red: number,
    green: number,
    blue: number,
    group = 0,
  ): void {
    const { x, y, inverseDepth, shade } = v;
    const xa = x[a];
    const ya = y[a];
    const xb = x[b];
    const yb = y[b];
    const xc = x[c];
    const yc = y[c];
    // y points down, so anticlockwise corners enclose a negative area.
    const area = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya);
    if (area >= 0) return;
    const top = Math.max(0, Math.ceil((Math.min(ya, yb, yc) - HALF) / SUBPIXELS));
    const bottom = Math.min(height - 1, Math.floor((Math.max(ya, yb, yc) - HALF) / SUBPIXELS));
    const left = Math.max(0, Math.ceil((Math.min(xa, xb, xc) - HALF) / SUBPIXELS));
    const right = Math.min(width - 1, Math.floor((Math.max(xa, xb, xc) - HALF) / SUBPIXELS));
    if (top > bottom || left > right) return;

    // 1/depth and shade at grid point (x, y): value at a plus slopes.
    const wa = inverseDepth[a];
    const wx = ((inverseDepth[b] - wa) * (yc - ya) - (inverseDepth[c] - wa) * (yb - ya)) / area;
    const wy = ((inverseDepth[c] - wa) * (xb - xa) - (inverseDepth[b] - wa) * (xc - xa)) / area;
    const sa = shade[a];
    const flat = sa === shade[b] && sa === shade[c];
    const sx = flat ? 0 : ((shade[b] - sa) * (yc - ya) - (shade[c] - sa) * (yb - ya)) / area;
    const sy = flat ? 0 : ((shade[c] - sa) * (xb - xa) - (shade[b] - sa) * (xc - xa)) / area;
    // A colour needs 24 of its 32 bits.
    const tag = group << 24;
    const packed = pack(red * sa, green * sa, blue * sa) | tag;

    for (let row = top; row <= bottom; row++) {
      const py = row * SUBPIXELS + HALF;
      let first = left;
      let last = right;
      // Each edge cuts the row; inside is where (dx, dy) x (p - start) < 0, or = 0 on a top or left edge.
      for (let edge = 0; edge < 3; edge++) {
        const x0 = edge === 0 ? xa : edge === 1 ? xb : xc;
        const y0 = edge === 0 ? ya : edge === 1 ? yb : yc;
        const dx = (edge === 0 ? xb : edge === 1 ? xc : xa) - x0;
        const dy = (edge === 0 ? yb : edge === 1 ? yc : ya) - y0;
        if (dy === 0) {
          // Horizontal: a row exactly on it belongs to the triangle below it, for which this edge runs to the left.
          if (py === y0 && dx > 0) last = -1;
          continue;
        }
        const at = (x0 - HALF + (dx * (py - y0)) / dy) / SUBPIXELS;
        if (dy > 0) first = Math.max(first, Math.ceil(at));
        else last = Math.min(last, Math.ceil(at) - 1);
      }
      const px = first * SUBPIXELS + HALF;
      let w = wa + wx * (px - xa) + wy * (py - ya);
      const wStep = wx * SUBPIXELS;
      const end = row * width + last;
      if (flat) {
        for (let i = row * width + first; i <= end; i++, w += wStep) {
          if (w > depth[i]) {
            depth[i] = w;
            colour[i] = packed;
          }
        }
      } else {
        let s = sa + sx * (px - xa) + sy * (py - ya);
        const sStep = sx * SUBPIXELS;
        for (let i = row * width + first; i <= end; i++, w += wStep, s += sStep) {
          if (w > depth[i]) {
            depth[i] = w;
            colour[i] = pack(red * s, green * s, blue * s) | tag;
          }
        }
      }
    }
  }

  function resolve(out: Uint8Array): void {
    let o = 0;
    for (let row = 0; row < height; row += SUPERSAMPLING) {
      for (let column = 0; column < width; column += SUPERSAMPLING) {
        const i = row * width + column;
        const p = colour[i];
        const q = colour[i + 1];
        const r = colour[i + width];
        const s = colour[i + width + 1];
        // Red and blue are summed in one addition: each has room for 4 x 255; + 2 rounds.
        const redBlue = (p & 0xff00ff) + (q & 0xff00ff) + (r & 0xff00ff) + (s & 0xff00ff) + 0x020002;
        const green = (p & 0xff00) + (q & 0xff00) + (r & 0xff00) + (s & 0xff00) + 0x0200;
        out[o] = (redBlue >> 2) & 0xff;
        out[o + 1] = green >> 10;
        out[o + 2] = redBlue >> 18;
        o += 3;
      }
    }
  }

  return {
    width,
    height,
    clear(background) {
      depth.fill(0);
      colour.fill(background);
    },
    triangle,
    resolve,
    samplesOf() {
      const counts = new Uint32Array(256);
      for (let i = 0; i < colour.length; i++) counts[colour[i] >>> 24]++;
      return counts;
    },
  };
}

/** 0xBBGGRR, rounded down. */
function pack(red: number, green: number, blue: number): number {
  return ((blue | 0) << 16) | ((green | 0) << 8) | (red | 0);
}
