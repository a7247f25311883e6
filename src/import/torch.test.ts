import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyBytes } from '../../test/fuzz/bytes.ts';
import {
  Code,
  Instance,
  pickle,
  storage,
  type TorchStorage,
  tensor,
  writeTorch,
  zip,
} from '../../test/support/torch-file.ts';
import { NinaError } from '../errors.ts';
import { key, rng } from '../random.ts';
import { openWeights } from './open.ts';

let dir: string;
const at = (name: string) => path.join(dir, name);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-'));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

function save(value: unknown): string {
  writeTorch(at('one.pt'), value);
  return at('one.pt');
}

/** All that a file says. */
function load(file: string) {
  using weights = openWeights(file);
  const { tensors, others, settings, notes } = weights;
  const read = [...tensors].map(([name, { dtype, shape, read }]) => [name, { dtype, shape, data: [...read()] }]);
  return { tensors: Object.fromEntries(read), others: Object.fromEntries(others), settings, notes };
}

const f32 = (data: readonly number[], shape = [data.length]) => ({ dtype: 'F32', shape, data });

describe('a state dict', () => {
  test('gives its tensors by name, in its order', () => {
    const { tensors } = load(
      save(
        new Map([
          ['b.weight', tensor([1, 2, 3, 4, 5, 6], [2, 3])],
          ['a', tensor([7], [])],
        ]),
      ),
    );
    expect(Object.entries(tensors)).toEqual([
      ['b.weight', f32([1, 2, 3, 4, 5, 6], [2, 3])],
      ['a', f32([7], [])],
    ]);
  });

  test('may be a plain dictionary, and its numbers of any of the known types', () => {
    const of = (type: string, data: TorchStorage['data']) => ({ storage: { type, data }, shape: [2] });
    const { tensors } = load(
      save({
        half: of('Half', Uint16Array.of(0x3c00, 0xc000)),
        brain: of('BFloat16', Uint16Array.of(0x3f80, 0xc000)),
        double: of('Double', Float64Array.of(0.5, -3)),
        long: of('Long', BigInt64Array.of(-1n, 2n ** 40n)),
      }),
    );
    expect(tensors).toEqual({
      half: { dtype: 'F16', shape: [2], data: [1, -2] },
      brain: { dtype: 'BF16', shape: [2], data: [1, -2] },
      double: { dtype: 'F64', shape: [2], data: [0.5, -3] },
      long: { dtype: 'I64', shape: [2], data: [-1n, 2n ** 40n] },
    });
  });

  test('tensors are strided views, of storages that they may share', () => {
    const shared = storage([0, 1, 2, 3, 4, 5, 6, 7]);
    const { tensors } = load(
      save({
        tied: { storage: shared, shape: [8] },
        part: { storage: shared, offset: 5, shape: [2] },
        transposed: { storage: shared, offset: 1, shape: [3, 2], strides: [1, 3] },
        expanded: { storage: shared, offset: 7, shape: [2, 2], strides: [0, 0] },
        empty: { storage: shared, shape: [0, 4] },
        // The stride of an axis of one means nothing.
        one: { storage: shared, shape: [1, 2], strides: [99, 1] },
      }),
    );
    expect(tensors).toEqual({
      tied: f32([0, 1, 2, 3, 4, 5, 6, 7]),
      part: f32([5, 6]),
      transposed: f32([1, 4, 2, 5, 3, 6], [3, 2]),
      expanded: f32([7, 7, 7, 7], [2, 2]),
      empty: f32([], [0, 4]),
      one: f32([0, 1], [1, 2]),
    });
  });

  test('what is no tensor of a known type is told by its name', () => {
    const { others } = load(
      save({
        w: tensor([1]),
        ids: { storage: { type: 'Int', data: Uint8Array.of(0, 0, 0, 0) }, shape: [1] },
        extra: new Instance('some.Thing'),
        version: 3,
      }),
    );
    expect(others).toEqual({ ids: 'a tensor of torch.IntStorage', extra: 'no tensor', version: 'no tensor' });
  });
});

describe('a Lightning checkpoint', () => {
  const state = new Map([
    ['a', tensor([1, 2])],
    ['b', tensor([3, 4], [2, 1])],
  ]);
  const lightning = (callbacks: unknown, more: object = {}) =>
    save({ epoch: 1, state_dict: state, callbacks, optimizer_states: [new Map([[0, tensor([9])]])], ...more });

  test('is the moving average that EMA keeps in the order of the state dict', () => {
    const { tensors, notes } = load(
      lightning({ EMA: { cur_step: 5, ema_weights: [tensor([10, 20]), tensor([30, 40], [2, 1])] } }),
    );
    expect(tensors).toEqual({ a: f32([10, 20]), b: f32([30, 40], [2, 1]) });
    expect(notes.join()).toMatch(/callbacks\.EMA\.ema_weights/);
  });

  test('without EMA is the state dict', () => {
    const { tensors, notes } = load(lightning({ ModelCheckpoint: { best: tensor([0], []) } }));
    expect(tensors).toEqual({ a: f32([1, 2]), b: f32([3, 4], [2, 1]) });
    expect(notes.join()).toMatch(/no EMA/);
  });

  test('an average that is not in that order is refused', () => {
    const short = { EMA: { ema_weights: [tensor([10, 20])] } };
    expect(() => load(lightning(short))).toThrow(/ema_weights.*1 tensors, and there are 2/);
    const swapped = { EMA: { ema_weights: [tensor([30, 40], [2, 1]), tensor([10, 20])] } };
    expect(() => load(lightning(swapped))).toThrow(/tensor 0, of a, should have the shape \[2\]/);
  });

  test('keeps plain settings, and objects of other types become nothing', () => {
    const object = new Instance('omegaconf.dictconfig.DictConfig', {
      parent: new Instance('omegaconf.nodes.AnyNode', { value: new Code('ctyping\nAny\n') }),
      cache: new Code('ccollections\ndefaultdict\nc__builtin__\ndict\n\x85R'),
    });
    const { settings } = load(
      lightning(
        {},
        { hyper_parameters: { n_heads: 4, backbone: 'trans', use_plu: true, optimizer: object, none: null } },
      ),
    );
    expect([...settings]).toEqual([
      ['n_heads', 4],
      ['backbone', 'trans'],
      ['use_plu', true],
    ]);
  });
});

describe('archives', () => {
  const state = { w: tensor([1, 2, 3, 4], [2, 2]) };
  const entries = (): [string, Uint8Array][] => {
    const storages: TorchStorage[] = [];
    return [
      ['x/data.pkl', pickle(state, storages)],
      ['x/data/0', new Uint8Array(storages[0].data.buffer)],
    ];
  };
  const write = (bytes: Uint8Array) => {
    fs.writeFileSync(at('archive'), bytes);
    return at('archive');
  };
  const change = (name: string, by: Uint8Array) =>
    entries().map(([n, data]): [string, Uint8Array] => [n, n === name ? by : data]);

  test('are read by their zip64 records, too', () => {
    expect(load(write(zip(entries(), { far: true }))).tensors).toEqual({ w: f32([1, 2, 3, 4], [2, 2]) });
  });

  test('whose entries are beyond 4 GiB are read by position', () => {
    // The directory of a short archive, with a hole of 5 GiB before its entries: sparse, it takes no disk.
    const hole = 5 * 2 ** 30;
    const bytes = zip([['', new Uint8Array(0)], ...entries()], { far: true });
    const first = bytes.indexOf('x/data.pkl') - 30;
    const file = at('sparse');
    fs.writeFileSync(file, bytes.subarray(0, first));
    fs.truncateSync(file, hole + first);
    const far = Buffer.from(bytes.subarray(first));
    const moved = (position: number) =>
      far.writeBigUInt64LE(far.readBigUInt64LE(position - first) + BigInt(hole), position - first);
    for (let p = bytes.indexOf('PK\x01\x02'), i = 0; p >= 0; p = bytes.indexOf('PK\x01\x02', p + 1), i++)
      if (i > 0) moved(p + 46 + bytes.readUInt16LE(p + 28) + 20);
    moved(bytes.indexOf('PK\x06\x06') + 48);
    moved(bytes.indexOf('PK\x06\x07') + 8);
    fs.appendFileSync(file, far);
    expect(load(file).tensors).toEqual({ w: f32([1, 2, 3, 4], [2, 2]) });
    fs.rmSync(file);
  });

  test('that are cut at any byte are refused', () => {
    const whole = zip(entries());
    for (let length = 4; length < whole.length; length++)
      expect(() => load(write(whole.subarray(0, length)))).toThrow(/not a whole zip file/);
  });

  test('whose numbers have changed are refused', () => {
    const bytes = zip(entries());
    bytes[bytes.indexOf('PK\x01\x02') - 1] ^= 1;
    expect(() => load(write(bytes))).toThrow(/x\/data\/0 is damaged/);
  });

  const cases: [string, () => Buffer, RegExp][] = [
    ['compressed', () => zip(entries(), { method: 8 }), /x\/data\.pkl is compressed/],
    ['of another program', () => zip([['readme', new Uint8Array(3)]]), /0 entries <name>\/data\.pkl.*readme/],
    ['without the numbers', () => zip(entries().slice(0, 1)), /numbers of w are missing.*x\/data\/0/],
    [
      'with too few numbers',
      () => zip(change('x/data/0', new Uint8Array(12))),
      /w has a storage of 4 numbers of 4 bytes.*12/,
    ],
    ['of the other byte order', () => zip([...entries(), ['x/byteorder', Buffer.from('big')]]), /other byte order/],
    [
      'with two entries of one name',
      () => zip([...entries(), ...entries()]),
      /two of its entries are named x\/data.pkl/,
    ],
    [
      'of views beyond their storage',
      () => zip(change('x/data.pkl', pickle({ w: { storage: storage([1, 2, 3, 4]), offset: 1, shape: [2, 2] } }))),
      /w reaches beyond its storage of 4/,
    ],
    ['of a list', () => zip(change('x/data.pkl', pickle([1]))), /no dictionary of tensors/],
    [
      'of no tensors',
      () => zip(change('x/data.pkl', pickle({ model: 1, epoch: 2 }))),
      /no tensors by name.*model, epoch/,
    ],
  ];
  test.each(cases)('%s are refused', (_, make, message) => {
    expect(() => load(write(make()))).toThrow(message);
  });

  test('that are damaged anywhere give the same numbers or a sentence', () => {
    const whole = zip(entries());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
        const file = write(anyBytes(whole, rng(key(seed))));
        try {
          load(file);
        } catch (cause) {
          expect(cause).toBeInstanceOf(NinaError);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('files of torch before 1.6 are refused', () => {
    expect(() => load(write(pickle(0x1950a86a20f9469cfc6cn.toString())))).toThrow(/torch before 1\.6/);
  });
});
