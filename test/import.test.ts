/**
 * Checkpoints of others, imported. The files in fixtures/import are written by PyTorch (make.py there), and so is what they
 * answer; other namings and faults are made of them here.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decoderOf } from '../src/decoders/index.ts';
import { encoderOf } from '../src/encoders/index.ts';
import { cpu } from '../src/engine/index.ts';
import { exceeded } from '../src/fixture.ts';
import { type ImportSettings, importWeights } from '../src/import/import.ts';
import { matchWeights } from '../src/import/match.ts';
import { openWeights } from '../src/import/open.ts';
import { parity } from '../src/import/parity.ts';
import { loadPolicy, readCheckpoint, readEncoderFolder, requireEncoderSelfTest } from '../src/policy/index.ts';
import { key } from '../src/random.ts';
import type { ImportOptions } from '../src/reference.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import type { StoredTensor } from '../src/safetensors-format.ts';
import { leaves, materialise, type NDArray } from '../src/tensor/index.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const fixture = (name: string) => path.join(fixtures, 'import', name);
const EXPECTED = fixture('expected.safetensors');

let dir: string;
let count = 0;
const fresh = (ending = '') => path.join(dir, `${++count}${ending}`);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'import-'));
  for (const name of ['nina-mlp.pt', 'nina-trans.ckpt'])
    fs.writeFileSync(path.join(dir, name), zlib.gunzipSync(fs.readFileSync(fixture(`${name}.gz`))));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

const OPTIONS: ImportOptions = {
  ...{ heads: [1, 2, 2, 3], groups: [2, 3, 4, 2], encoderHeads: 3, window: 5, imageSize: 32 },
  ...{ prompt: '{instruction}', flowToken: 'last-row' },
};
const tokenizer = path.join(fixtures, 'florence2', 'tokenizer-tiny.json');

async function imported(file: string, changed: Partial<ImportSettings> = {}): Promise<string> {
  const { directory } = await importWeights(file, { ...OPTIONS, tokenizer, out: fresh(), ...changed });
  return directory;
}

type Tensors = Record<string, StoredTensor>;
const microsoft = (): Tensors => readSafetensors(fixture('microsoft.safetensors')).tensors;

function save(tensors: Tensors): string {
  const file = fresh('.safetensors');
  writeSafetensors(file, tensors);
  return file;
}
const renamed = (tensors: Tensors, to: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [to(name), tensor]));
const weightsOf = (folder: string) =>
  Object.fromEntries(leaves<NDArray>(readEncoderFolder(folder).params).map(([name, { data }]) => [name, data]));

describe('what PyTorch wrote answers as it did there', () => {
  test.each(['nina-mlp.pt', 'nina-trans.ckpt'])('%s', async (name) => {
    const folder = await imported(path.join(dir, name));
    const comparison = await parity(EXPECTED, folder, cpu);
    expect(Object.keys(comparison.errors)).toEqual(['features', 'cond', 'actions_unclamped', 'actions']);
    expect(exceeded(comparison)).toEqual([]);
    // Loading asks the stored question of the default backend.
    using policy = await loadPolicy(folder);
    expect(policy.manifest.imported).toMatchObject({ file: name });
  });

  test("Microsoft's weights alone become the folder of an encoder, in as many bytes", async () => {
    const folder = await imported(fixture('microsoft.safetensors'));
    expect(exceeded(await parity(EXPECTED, folder, cpu))).toEqual([]);
    await requireEncoderSelfTest(readEncoderFolder(folder), cpu);
    using index = openSafetensors(path.join(folder, 'model.safetensors'));
    const wide = [...index.tensors].filter(([, { dtype }]) => dtype !== 'F16').map(([name]) => name);
    expect(wide).toEqual(['encoder.flow_token']);
    // The head's bias and the sines are left, <Flow> is added.
    expect(index.tensors.size).toBe(Object.keys(microsoft()).length - 2 + 1);
  });
});

describe('names', () => {
  const NATIVE: readonly (readonly [RegExp, string])[] = [
    [/^image_projection$/, 'multi_modal_projector.image_projection.weight'],
    [/^image_pos_embed/, 'multi_modal_projector.image_position_embed'],
    [/^(image_proj_norm|visual_temporal_embed)/, 'multi_modal_projector.$1'],
    [/convs\.(\d)\.proj/, 'convs.$1.conv'],
    [/(window|channel)_attn\.norm/, 'norm1'],
    [/ffn\.norm/, 'norm2'],
    [/\.fn\.(dw\.|net\.)?/, '.'],
    [/^language_model\.model/, 'language_model'],
  ];
  /** As transformers' own classes save it. */
  const native = () => {
    const out = renamed(microsoft(), (name) => `model.${NATIVE.reduce((n, [from, to]) => n.replace(from, to), name)}`);
    const projection = 'model.multi_modal_projector.image_projection.weight';
    const { shape, data } = out[projection] as StoredTensor<Float32Array>;
    const [I, O] = shape;
    out[projection] = { shape: [O, I], data: data.map((_, i) => data[(i % I) * O + Math.floor(i / I)]) };
    delete out['model.language_model.final_logits_bias'];
    return out;
  };

  test('of Microsoft, transformers, FLOWER and NinA give the same weights', async () => {
    const wanted = weightsOf(await imported(fixture('microsoft.safetensors')));
    const others: Tensors[] = [
      native(),
      renamed(native(), (name) => name.replace(/^model\./, '')),
      renamed(microsoft(), (name) => `vlm.${name}`),
      renamed(microsoft(), (name) => `agent.vlm.${name}`),
      renamed(microsoft(), (name) => `vlm.${name.replace('language_model.model.encoder.', 'language_encoder.')}`),
      // NinA's rule for bare names, and what it made of the head's bias.
      renamed(microsoft(), (name) => `vlm.${name.replace('language_model.model.encoder.', 'language_model.')}`),
      renamed(microsoft(), (name) => name.replace('final_logits_bias', 'model.encoder.final_logits_bias')),
    ];
    for (const tensors of others) expect(weightsOf(await imported(save(tensors)))).toEqual(wanted);
  });

  test('of the text encoder alone have its embedding under its own name', async () => {
    const alone = (name: string) =>
      name
        .replace('language_model.model.shared.', 'language_encoder.embed_tokens.')
        .replace('language_model.model.encoder.', 'language_encoder.');
    const folder = await imported(save(renamed(microsoft(), (name) => `vlm.${alone(name)}`)));
    expect(weightsOf(folder)).toEqual(weightsOf(await imported(fixture('microsoft.safetensors'))));
  });

  test("what is left out on purpose is told: BART's decoder and head, tied copies, sines", async () => {
    const tensors = microsoft();
    const embedding = tensors['language_model.model.shared.weight'];
    const one = { shape: [1], data: new Float32Array(1) };
    const { left } = await importWeights(
      save({
        ...tensors,
        'language_model.model.decoder.layers.0.fc1.weight': one,
        'language_model.model.encoder.embed_tokens.weight': embedding,
        'language_model.lm_head.weight': embedding,
      }),
      { ...OPTIONS, tokenizer, out: fresh() },
    );
    expect(left).toEqual({
      "BART's decoder": ['language_model.model.decoder.layers.0.fc1.weight'],
      "BART's head": ['language_model.final_logits_bias', 'language_model.lm_head.weight'],
      'tied copies of the embedding': ['language_model.model.encoder.embed_tokens.weight'],
      'the sine table of frames, of which the constant first row is used': ['visual_temporal_embed.pos_idx_to_embed'],
    });
  });

  test.each(['base', 'large'] as const)('and shapes alone tell %s', (size) => {
    const { reference, blueprint, schema } = encoderOf({ name: `florence2-${size}` });
    const sizes = JSON.parse(fs.readFileSync(path.join(fixtures, 'florence2-names.json'), 'utf8'))[size];
    const from = size === 'base' ? [128, 256, 512, 1024] : [256, 512, 1024, 2048];
    const tensors = new Map(
      shapesOf(from, size === 'base' ? [768, 6, 3072] : [1024, 12, 4096]).map(([name, shape]) => [
        name,
        { dtype: 'F16' as const, shape, read: () => new Float32Array(0) },
      ]),
    );
    const weights = { tensors, others: new Map(), settings: new Map(), notes: [] };
    const { encoder } = matchWeights(weights, { flowToken: 'mean' }, 'it');
    expect(encoder.config).toEqual(schema.parse(encoder.config));
    expect(encoder.config.name).toBe(`florence2-${size}`);
    const count = leaves(blueprint(key(0), encoder.config) as never).reduce(
      (sum, [, { shape }]: [string, { shape: readonly number[] }]) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    );
    // And <Flow>.
    expect(count).toBe(sizes.parameters + (size === 'base' ? 768 : 1024));
    expect(reference).toBeDefined();
  });
});

/** Names and shapes of a Florence-2 as transformers has them, in words of its own. */
function shapesOf(dims: readonly number[], [d, layers, ffn]: readonly number[]): [string, number[]][] {
  const out: [string, number[]][] = [];
  const linear = (name: string, to: number, from: number) =>
    out.push([`${name}.weight`, [to, from]], [`${name}.bias`, [to]]);
  const norm = (name: string, n: number) => out.push([`${name}.weight`, [n]], [`${name}.bias`, [n]]);
  for (const [s, C] of dims.entries()) {
    const before = s === 0 ? 3 : dims[s - 1];
    const k = s === 0 ? 7 : 3;
    out.push([`vision_tower.convs.${s}.conv.weight`, [C, before, k, k]], [`vision_tower.convs.${s}.conv.bias`, [C]]);
    norm(`vision_tower.convs.${s}.norm`, s === 0 ? C : before);
    for (let i = 0; i < [1, 1, 9, 1][s]; i++)
      for (const [block, attention] of [
        ['spatial_block', 'window_attn'],
        ['channel_block', 'channel_attn'],
      ]) {
        const at = `vision_tower.blocks.${s}.${i}.${block}`;
        for (const conv of ['conv1', 'conv2'])
          out.push([`${at}.${conv}.weight`, [C, 1, 3, 3]], [`${at}.${conv}.bias`, [C]]);
        for (const n of ['norm1', 'norm2']) norm(`${at}.${n}`, C);
        linear(`${at}.${attention}.qkv`, 3 * C, C);
        linear(`${at}.${attention}.proj`, C, C);
        linear(`${at}.ffn.fc1`, 4 * C, C);
        linear(`${at}.ffn.fc2`, C, 4 * C);
      }
  }
  const D = dims[3];
  out.push(['multi_modal_projector.image_projection.weight', [d, D]]);
  norm('multi_modal_projector.image_proj_norm', d);
  for (const axis of ['row', 'column'])
    out.push([`multi_modal_projector.image_position_embed.${axis}_embeddings.weight`, [50, D / 2]]);
  out.push(['language_model.shared.weight', [51_328, d]], ['language_model.encoder.embed_positions.weight', [1026, d]]);
  norm('language_model.encoder.layernorm_embedding', d);
  for (let i = 0; i < layers; i++) {
    const at = `language_model.encoder.layers.${i}`;
    for (const name of ['k', 'v', 'q', 'out']) linear(`${at}.self_attn.${name}_proj`, d, d);
    norm(`${at}.self_attn_layer_norm`, d);
    linear(`${at}.fc1`, ffn, d);
    linear(`${at}.fc2`, d, ffn);
    norm(`${at}.final_layer_norm`, d);
  }
  return out.map(([name, shape]) => [`model.${name}`, shape]);
}

describe('FLOWER', () => {
  /** Its decoder beside the encoder, in the reference's names. */
  function flower(): Tensors {
    const config = { name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 2, action_dim: 7, chunk_length: 3 };
    const decoder = decoderOf({ name: 'flower' });
    const { params } = decoder.blueprint(key(3), decoder.schema.parse({ ...settings(decoder), ...config }), 12);
    const drawn = leaves<NDArray>(materialise(params) as never).map(([name, leaf]): [string, StoredTensor] => [
      name,
      leaf,
    ]);
    return { ...renamed(microsoft(), (name) => `vlm.${name}`), ...Object.fromEntries(drawn) };
  }
  const settings = ({ settings }: { settings: { parse(x: unknown): unknown } }) => settings.parse({}) as object;

  test('decodes as it was drawn; other action spaces are left', async () => {
    const tensors = flower();
    const unused = { shape: [2, 2], data: new Float32Array(4) };
    const file = save({ ...tensors, 'action_encoders.joint_single.fc1.weight': unused });
    const { directory, left, config } = await importWeights(file, {
      ...OPTIONS,
      tokenizer,
      out: fresh(),
      chunkLength: 3,
    });
    expect(left['parameters of other action spaces']).toEqual(['action_encoders.joint_single.fc1.weight']);
    expect(config.decoder).toMatchObject({ name: 'flower', dit_dim: 16, n_heads: 2, n_layers: 2, chunk_length: 3 });
    const { model } = readCheckpoint(directory);
    for (const [name, { data }] of leaves<NDArray>(model.params.decoder))
      expect([name, data]).toEqual([name, tensors[name].data]);
    using policy = await loadPolicy(directory);
    expect(policy.chunkLength).toBe(3);
  });

  test('and NinA in one file are refused', async () => {
    const both = save({ ...flower(), 'nf.layers.0.perm': { shape: [1], data: BigInt64Array.of(0n) } });
    await expect(imported(both)).rejects.toThrow(/holds the decoders nina and flower/);
  });
});

describe('what does not fit is named, all of it', () => {
  test('missing, unknown and of another shape', async () => {
    const tensors = microsoft();
    delete tensors['vision_tower.convs.1.norm.bias'];
    delete tensors['image_proj_norm.weight'];
    const one = { shape: [1], data: new Float32Array(1) };
    const file = save({
      ...tensors,
      'vision_tower.blocks.0.0.spatial_block.extra': one,
      'language_model.model.encoder.layers.0.fc1.bias': { shape: [2], data: new Float32Array(2) },
      image_projection: { shape: [12, 13], data: new Float32Array(12 * 13) },
      'optimizer.state': one,
    });
    const error = await imported(file).catch((cause) => cause);
    expect(error.message.split('\n')).toEqual([
      `${file} is not the model that its sizes tell of. Nothing was written.`,
      '  2 missing:',
      '    vision_tower.convs.1.norm.bias',
      '    multi_modal_projector.image_proj_norm.weight',
      '  2 unknown:',
      '    vision_tower.blocks.0.0.spatial_block.extra',
      '    optimizer.state',
      '  2 of another shape or type:',
      '    image_projection is floats [13, 12], wanted floats [12, 12]',
      '    language_model.model.encoder.layers.0.fc1.bias is floats [2], wanted floats [16]',
    ]);
  });

  const faults: [string, (tensors: Tensors) => Tensors, RegExp][] = [
    ['no encoder', () => ({ w: { shape: [1], data: new Float32Array(1) } }), /no encoder that is known.*It holds w/],
    [
      'no sizes',
      ({ 'vision_tower.convs.2.proj.weight': _, ...rest }) => rest,
      /sizes of the encoder cannot be read.*convs\.2\.conv\.weight is missing/,
    ],
    [
      'a tensor twice',
      (tensors) => ({ ...tensors, 'vlm.image_proj_norm.bias': tensors['image_proj_norm.bias'] }),
      /vlm\.image_proj_norm\.bias is another image_proj_norm\.bias/,
    ],
    [
      'what is not finite',
      (tensors) => ({
        ...tensors,
        'image_proj_norm.bias': { shape: [12], data: new Float32Array(12).fill(Number.NaN) },
      }),
      /image_proj_norm\.bias is not finite: it holds NaN at 0/,
    ],
    [
      'an embedding that is not tied',
      (tensors) => ({
        ...tensors,
        'language_model.model.encoder.embed_tokens.weight': { shape: [90, 12], data: new Float32Array(1080) },
      }),
      /should be one embedding, and they differ/,
    ],
    [
      'other sines',
      (tensors) => ({
        ...tensors,
        'visual_temporal_embed.pos_idx_to_embed': { shape: [1, 12], data: new Float32Array(12) },
      }),
      /pos_idx_to_embed holds 0 at 1.*not the reference's/,
    ],
  ];
  test.each(faults)('%s', async (_, change, message) => {
    const out = fresh();
    await expect(imported(save(change(microsoft())), { out })).rejects.toThrow(message);
    expect(fs.existsSync(out)).toBe(false);
  });
});

test.each<[string, Uint8Array, RegExp]>([
  ['empty', new Uint8Array(0), /is empty, and neither \.safetensors nor what torch\.save writes/],
  ['of three bytes', Uint8Array.of(1, 2, 3), /is a file of 3 bytes, and neither/],
  ['a page of the download', Buffer.from('<!DOCTYPE html><html>'), /is a file of another kind, and neither/],
  ['compressed', zlib.gzipSync('weights'), /is compressed by gzip, and neither/],
])('a file that is %s is told from damaged weights', (_, bytes, message) => {
  const file = path.join(dir, 'other.ckpt');
  fs.writeFileSync(file, bytes);
  expect(() => openWeights(file)).toThrow(message);
});

describe('what a file does not tell must be said', () => {
  const weights = fixture('microsoft.safetensors');
  const cases: [string, Partial<ImportSettings>, RegExp][] = [
    [
      '<Flow>',
      { flowToken: undefined },
      /--flow-token is needed: .*never trained nor saved\. Choose --flow-token mean .* random:SEED .* last-row/,
    ],
    ['a choice of <Flow>', { flowToken: 'zero' }, /--flow-token zero is none of the choices/],
    [
      'heads',
      { heads: undefined, groups: undefined, encoderHeads: undefined, flowToken: undefined },
      /widths 4, 6, 8, 12 and 12.*Give --heads, --groups, --encoder-heads\. Choose --flow-token, too/,
    ],
    ['heads that can be', { heads: [3, 2, 2, 3] }, /heads must divide dims; got 3 heads for the width 4/],
    ['a tokenizer', { tokenizer: undefined }, /tokenizer\.json .*none beside .*--tokenizer FILE/],
    [
      'a tokenizer of these weights',
      { prompt: 'Task: {instruction}' },
      /do not fit together.*embedding has 90 rows.*--prompt/,
    ],
    ['a short text', { maxText: 40 }, /encoder has 40 positions; got a sequence of 45 tokens/],
    ['a new folder', { out: fixtures }, /is there already/],
  ];
  test.each(cases)('%s', async (_, options, message) => {
    await expect(imported(weights, options)).rejects.toThrow(message);
    await expect(imported(weights, options)).rejects.toMatchObject({
      exitCode: /must divide|positions/.test(`${message}`) ? 1 : 2,
    });
  });

  test('the heads of a Transformer, unless hyper_parameters tell them', () => {
    using weights = openWeights(path.join(dir, 'nina-trans.ckpt'));
    const silent = { ...weights, settings: new Map() };
    expect(() => matchWeights(silent, OPTIONS, 'it')).toThrow(/Give --decoder-heads/);
    expect(matchWeights(silent, { ...OPTIONS, decoderHeads: 4 }, 'it').decoder?.config).toMatchObject({ n_heads: 4 });
    expect(matchWeights(weights, OPTIONS, 'it').decoder?.config).toMatchObject({ n_heads: 2 });
  });

  describe('<Flow> is', () => {
    const WORD = 'language_model.model.shared.weight';
    const flow = async (flowToken: string, rows?: number) => {
      const tensors = microsoft();
      // Row r is r everywhere.
      const data = Float32Array.from({ length: (rows ?? 90) * 12 }, (_, i) => Math.floor(i / 12));
      const folder = await imported(save({ ...tensors, [WORD]: { shape: [rows ?? 90, 12], data } }), { flowToken });
      return [...weightsOf(folder).flow_token];
    };

    test('the last row, the mean of the rows, or drawn from a seed', async () => {
      expect(await flow('last-row')).toEqual(new Array(12).fill(89));
      expect(await flow('mean')).toEqual(new Array(12).fill(44.5));
      const drawn = await flow('random:7');
      expect(drawn).toEqual(await flow('random:7'));
      expect(drawn).not.toEqual(await flow('random:8'));
      expect(Math.max(...drawn.map(Math.abs))).toBeLessThan(0.1);
    });

    test('no row of an embedding that never had one, or is padded', async () => {
      await expect(flow('last-row', 51_289)).rejects.toThrow(/51289 rows, of which none was added for <Flow>/);
      await expect(flow('last-row', 51_328)).rejects.toThrow(/those from 51289 on are <image> and padding/);
      expect(await flow('last-row', 51_290)).toEqual(new Array(12).fill(51_289));
      // The mean of the words alone.
      expect(await flow('mean', 51_328)).toEqual(new Array(12).fill(25_644));
    });
  });

  test('rows that are no words are left', async () => {
    const rows = { shape: [51_328, 12], data: new Float32Array(51_328 * 12) };
    const file = save({ ...microsoft(), 'language_model.model.shared.weight': rows });
    const { directory, notes } = await importWeights(file, { ...OPTIONS, tokenizer, out: fresh(), flowToken: 'mean' });
    expect(notes).toContain('rows 51289 to 51327 of the embedding are no words and are left');
    expect(readEncoderFolder(directory).config).toMatchObject({ vocabulary: 51_289 });
  });
});
