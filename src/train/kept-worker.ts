/** Worker thread: what the frozen part of an encoder makes of frames, sixteen at a time, in F16. */
import { episodeId } from '../data/index.ts';
import { encoderOf } from '../encoders/index.ts';
import { onnxruntime } from '../engine/index.ts';
import { NinaError } from '../errors.ts';
import { narrowed } from '../floats.ts';
import { serveJobs } from '../jobs/index.ts';
import { key } from '../random.ts';
import { mapTree, type Spec, type Tensor, type Tree, weight } from '../tensor/index.ts';
import { FRAMES, type KeptSetup } from './kept-setup.ts';
import { openEyes } from './observe.ts';
import type { PictureRow } from './picture-worker.ts';
import { keep } from './seen.ts';
import { TAKES_SHARED } from './shard.ts';

/** Beyond it a number has no F16 but infinity. */
const INFINITE = 0x7c00;

serveJobs<KeptSetup, readonly PictureRow[], Uint16Array>(async (setup) => {
  const { policy, freeze, entries, threads } = setup;
  const weights = TAKES_SHARED ? setup.weights : setup.weights.slice();
  const { config, statistics, assets } = policy;
  const encoder = encoderOf(config.encoder);
  const writer = encoder.writer(config.encoder, statistics.encoder, assets);
  const eyes = await openEyes(config.encoder);
  const arrays = encoder.arrays(config.encoder, FRAMES);
  let offset = 0;
  const known = new Map<string, Tensor>();
  for (const { path, shape } of entries) {
    const size = shape.reduce((a, b) => a * b, 1);
    known.set(path, weight(weights.subarray(offset, offset + size), shape));
    offset += size;
  }
  // What is not frozen is not looked at.
  const p = mapTree(encoder.blueprint(key(0), config.encoder), (_: Spec, path) => known.get(path)) as Tree<Tensor>;
  const kept = keep(config, freeze, p, FRAMES);
  const program = await onnxruntime({ device: 'cpu' }).compile({ kept }, { threads, weights: 'packed' });
  const feeds = Object.fromEntries(Object.entries(arrays).filter(([name]) => name in program.signature.inputs));
  const size = kept.shape.reduce((a, b) => a * b, 1) / FRAMES;
  return async (rows, { transfer }) => {
    for (const [i, { episode, step, observation }] of rows.entries()) {
      const images = eyes.look(episode, step);
      writer.write({ ...observation, ...(images && { images }) }, arrays, i);
    }
    const found = (await program.run(feeds)).kept.subarray(0, rows.length * size);
    const out = new Uint16Array(found.length);
    narrowed('F16', found, out);
    const bad = out.findIndex((bits) => (bits & INFINITE) === INFINITE);
    if (bad >= 0)
      throw new NinaError(
        `What the frozen ${config.encoder.name} encoder makes of ${episodeId(rows[Math.floor(bad / size)].episode)}, step ` +
          `${rows[Math.floor(bad / size)].step}, holds ${found[bad]}, which cannot be kept in 16 bits. Train without freezing it.`,
      );
    transfer(out.buffer);
    return out;
  };
});
