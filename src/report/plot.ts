/** Small line plots as inline SVG text: no library, no external resource, colours from the page's CSS variables. */

export interface Line {
  label: string;
  /** CSS class: 'a', 'b' (two series), 'sample' (thin, many). */
  style: 'a' | 'b' | 'sample';
  points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  title: string;
  lines: readonly Line[];
  width: number;
  height: number;
  /** Fixed range of y; absent: that of the data. */
  yRange?: readonly [low: number, high: number];
}

const MARGIN = { left: 40, right: 8, top: 24, bottom: 20 };

/** @returns one <svg>; points that are not finite are left out */
export function plot({ title, lines, width, height, yRange }: PlotOptions): string {
  const kept = lines.map((line) => ({ ...line, points: line.points.filter((p) => p.every(Number.isFinite)) }));
  const all = kept.flatMap((line) => line.points);
  if (all.length === 0) return '';
  const [x0, x1] = range(all.map((p) => p[0]));
  const [y0, y1] = yRange ?? range(all.map((p) => p[1]));
  const inner = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
  const px = (x: number) => round(MARGIN.left + ((x - x0) / (x1 - x0)) * inner.w);
  const py = (y: number) => round(MARGIN.top + (1 - (y - y0) / (y1 - y0)) * inner.h);
  const grid = ticks(y0, y1)
    .map(
      (y) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${py(y)}" y2="${py(y)}"/>` +
        `<text class="tick" x="${MARGIN.left - 6}" y="${py(y) + 3}" text-anchor="end">${label(y)}</text>`,
    )
    .join('');
  const bottom = [x0, x1]
    .map(
      (x, i) =>
        `<text class="tick" x="${px(x)}" y="${height - 5}" text-anchor="${i === 0 ? 'start' : 'end'}">${label(Math.round(x))}</text>`,
    )
    .join('');
  const curves = kept
    .map((line) =>
      line.points.length === 1
        ? `<circle class="dot ${line.style}" r="3" cx="${px(line.points[0][0])}" cy="${py(line.points[0][1])}"/>`
        : `<polyline class="${line.style}" points="${line.points.map(([x, y]) => `${px(x)},${py(y)}`).join(' ')}"/>`,
    )
    .join('');
  return (
    `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `<text class="title" x="${MARGIN.left}" y="14">${escapeHtml(title)}</text>${grid}${bottom}${curves}</svg>`
  );
}

/** Bucket means: at most `most` points, so that a long run still makes a small page. */
export function thin(points: readonly (readonly [number, number])[], most = 300): [number, number][] {
  const size = Math.max(1, Math.ceil(points.length / most));
  const out: [number, number][] = [];
  for (let i = 0; i < points.length; i += size) {
    const bucket = points.slice(i, i + size);
    const mean = (axis: 0 | 1) => bucket.reduce((sum, p) => sum + p[axis], 0) / bucket.length;
    out.push([mean(0), mean(1)]);
  }
  return out;
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (c) => entities[c]);
}

/** The extent of the values, never empty: a constant gets a band around it. */
function range(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const pad = high > low ? 0 : Math.max(Math.abs(low) * 0.05, 1e-6);
  return [low - pad, high + pad];
}

/** Three to six round numbers inside the range. */
function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function label(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e4 || size < 1e-3) return value.toExponential(1).replace('e+', 'e').replace('.0e', 'e');
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
