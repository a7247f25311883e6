/** The report's section of sampled action chunks: per action dimension, many samples over the demonstrated chunk. */
import { PANDA } from '../robot/index.ts';
import { escapeHtml, type Line, plot } from './plot.ts';

const { dimensions } = PANDA.action;
const A = dimensions.length;

/** Sampled chunks at one step of a demonstration; all [T, A]. */
export interface ChunkSample {
  instruction: string;
  step: number;
  demonstration: ArrayLike<number>;
  samples: readonly ArrayLike<number>[];
}

export function chunkSection(chunks: readonly ChunkSample[]): string {
  if (chunks.length === 0) return '';
  const rows = chunks.map((chunk) => {
    const plots = dimensions.map(({ name: title, low, high }, dimension) =>
      plot({ title, lines: chunkLines(chunk, dimension), width: 143, height: 112, yRange: [1.05 * low, 1.05 * high] }),
    );
    return (
      `<h3>${escapeHtml(chunk.instruction)}, from step ${chunk.step}</h3>` +
      `<div class="plots">${plots.join('')}</div>`
    );
  });
  return (
    '<h2>Sampled action chunks</h2><p class="key"><i class="sample"></i> policy samples at temperature 1 ' +
    '<i class="b"></i> demonstration; each plot is one action dimension over the chunk, in [-1, 1]</p>' +
    rows.join('')
  );
}

function chunkLines({ demonstration, samples }: ChunkSample, dimension: number): Line[] {
  const points = (chunk: ArrayLike<number>) =>
    Array.from({ length: chunk.length / A }, (_, t): [number, number] => [t, chunk[t * A + dimension]]);
  return [
    ...samples.map((chunk): Line => ({ label: 'sample', style: 'sample', points: points(chunk) })),
    { label: 'demonstration', style: 'b', points: points(demonstration) },
  ];
}
