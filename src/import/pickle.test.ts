import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyBytes } from '../../test/fuzz/bytes.ts';
import { Code, Instance, pickle, tensor } from '../../test/support/torch-file.ts';
import { NinaError } from '../errors.ts';
import { key, rng } from '../random.ts';
import { readPickle } from './pickle.ts';
import { Skipped } from './pickle-machine.ts';

const read = (code: string) => readPickle(Uint8Array.from(Buffer.from(code, 'latin1')), 'it');

describe('values', () => {
  // Each as CPython's pickle.dumps(value, protocol) writes it.
  test.each<[string, string, unknown]>([
    [
      'protocol 0',
      '(lp0\nI1\naI01\naVa\np1\naF0.5\naNa(I1\nI2\ntp2\na(dp3\nVk\np4\nI3\nsa.',
      [1, true, 'a', 0.5, null, [1, 2], new Map([['k', 3]])],
    ],
    [
      'protocol 2',
      '\x80\x02]q\x00(K\x01M\x00\x01J\xff\xff\xff\xff\x8a\x05\x00\x00\x00\x00\x01\x88X\x01\x00\x00\x00aq\x01G?\xe0\x00\x00\x00\x00\x00\x00e.',
      [1, 256, -1, 2 ** 32, true, 'a', 0.5],
    ],
    [
      'protocol 4',
      '\x80\x04\x95 \x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01\x8c\x01b\x94]\x94()K\x01\x85\x94K\x01K\x02K\x03\x87\x94eu.',
      new Map<string, unknown>([
        ['a', 1],
        ['b', [[], [1], [1, 2, 3]]],
      ]),
    ],
    [
      'protocol 5',
      '\x80\x05\x95)\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94C\x03xxx\x94\x8c\x01b\x94\x8f\x94(K\x01\x90\x8c\x01c\x94\x96\x02\x00\x00\x00\x00\x00\x00\x00yy\x94u.',
      new Map<string, unknown>([
        ['a', Uint8Array.of(120, 120, 120)],
        ['b', [1]],
        ['c', Uint8Array.of(121, 121)],
      ]),
    ],
    ['an integer beyond 2^53', '\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00@.', 2n ** 62n],
    ['a negative one of protocol 0', 'L-4611686018427387904L\n.', -(2n ** 62n)],
    [
      'a default dictionary',
      '\x80\x02ccollections\ndefaultdict\nq\x00c__builtin__\nlist\nq\x01\x85q\x02Rq\x03X\x01\x00\x00\x00kq\x04K\x03s.',
      new Map([['k', 3]]),
    ],
    [
      'an ordered dictionary',
      '\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00kq\x02K\x03s.',
      new Map([['k', 3]]),
    ],
    [
      'an ordered dictionary of protocol 0',
      'ccollections\nOrderedDict\np0\n(tRp1\nVk\np2\nI3\ns.',
      new Map([['k', 3]]),
    ],
    [
      'what is referred to twice',
      '\x80\x02]q\x00(]q\x01X\x06\x00\x00\x00sharedq\x02ah\x01e.',
      [['shared'], ['shared']],
    ],
    ['a long of Python 2', 'c__builtin__\nlong\n(I7\ntR.', 7],
  ])('%s', (_, code, value) => {
    expect(read(code)).toEqual(value);
  });
});

describe('nothing is run', () => {
  const victim = path.join(os.tmpdir(), `victim-${process.pid}`);
  test.each<[string, string]>([
    ['os.system', `cposix\nsystem\n(S'touch ${victim}'\ntR.`],
    ['builtins.eval', `cbuiltins\neval\n(S'open("${victim}","w")'\ntR.`],
    ['subprocess by STACK_GLOBAL', `\x8c\x0asubprocess\x8c\x03run\x93(S'touch ${victim}'\ntR.`],
    ['a process of Node', `cprocess\nexit\n(I3\ntR.`],
    ['a method of an object', `cbuiltins\ngetattr\n(cbuiltins\n__import__\nS'__class__'\ntR(S'os'\ntR.`],
    ['a construction', `cposix\nsystem\n(S'touch ${victim}'\nt\x81.`],
    ['a construction by keywords', `cposix\nsystem\n(S'touch ${victim}'\nt}\x92.`],
    ['the constructor of our own', 'cconstructor\nconstructor\n(S"return process"\ntR.'],
  ])('%s becomes a name', (_, code) => {
    expect(read(code)).toBeInstanceOf(Skipped);
    expect(fs.existsSync(victim)).toBe(false);
  });

  test('a state that asks for a prototype changes nothing', () => {
    const value = readPickle(pickle(new Map([['__proto__', new Map([['polluted', true]])]])), 'it');
    expect(value).toBeInstanceOf(Map);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('what is broken is refused in a sentence', () => {
  test.each<[string, string, RegExp]>([
    ['nothing', '', /ends too early/],
    ['no end', 'N', /ends too early/],
    ['an empty stack', '.', /stack is empty/],
    ['a mark for a value', '(.', /stack is empty/],
    ['a missing mark', 'Nt.', /mark is missing/],
    ['a text beyond the end', 'X\xff\xff\xff\x7fa.', /ends too early/],
    ['a text of 2^63 bytes', '\x8d\x00\x00\x00\x00\x00\x00\x00\x80.', /ends too early/],
    ['an integer of a megabyte', '\x8b\x00\x00\x10\x00.', /integer of 1048576 bytes/],
    ['a memo that is not there', 'h\x07.', /refers to 7/],
    ['items of a list', '](NNu.', /no dictionary/],
    ['items of a dictionary', '}(Ne.', /no list/],
    ['a newer protocol', '\x80\x06N.', /protocol 6/],
    ['an operation of other programs', 'i', /operation 0x69/],
    ['an extension', '\x82\x01.', /operation 0x82/],
    ['something outside that is no storage', 'S"file"\nQ.', /no storage/],
    ['a storage of no class', '((S"storage"\nNS"0"\nS"cpu"\nI4\ntQ.', /no storage/],
    ['a tensor of nothing', 'ctorch._utils\n_rebuild_tensor_v2\n(NI0\n))tR.', /tensor is not made of/],
    ['a dictionary of no pairs', 'ccollections\nOrderedDict\n((lNatR.', /not made of pairs/],
  ])('%s', (_, code, message) => {
    expect(() => read(code)).toThrow(message);
    expect(() => read(code)).toThrow(NinaError);
  });

  test('copies without end', () => {
    // 1,000 pairs, copied again and again.
    const pairs = `(${'(NNt'.repeat(1000)}lp0\n`;
    const again = 'ccollections\nOrderedDict\n(g0\ntR0';
    expect(() => read(`${pairs}${again.repeat(1000)}N.`)).toThrow(/copies itself/);
  });
});

describe('any bytes give a value or a sentence', () => {
  const tried = (bytes: Uint8Array) => {
    try {
      readPickle(bytes, 'it');
    } catch (cause) {
      expect(cause).toBeInstanceOf(NinaError);
      expect((cause as Error).message).toMatch(/^it is not a pickle that can be read: .* \(at byte \d+ of \d+\)\./);
    }
  };

  test('of chance', () => {
    const codes = [
      ...'\x80(012N\x88\x89KMJ\x8aILGFX\x8cVTUSBC]lae)t\x85\x86\x87\x8f\x90\x91}dsupqr\x94ghjc\x93R\x81\x92bQ.',
    ];
    const piece = fc.oneof(
      fc.constantFrom(
        ...codes,
        'cbuiltins\nlist\n',
        'ccollections\nOrderedDict\n',
        'I1\n',
        'S"a"\n',
        'K\x01',
        'q\x00',
        'h\x00',
      ),
      fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => tried(Buffer.from(`${pieces.join('')}.`, 'latin1'))),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => tried(bytes)),
      { numRuns: 2000 },
    );
  });

  test('of a checkpoint that is damaged', () => {
    const whole = pickle({
      state_dict: new Map([
        ['a.weight', tensor([1, 2], [2, 1])],
        ['b', tensor([3])],
      ]),
      callbacks: { EMA: { ema_weights: [tensor([1, 2], [2, 1]), tensor([3])] } },
      hyper_parameters: {
        n: 4,
        rate: 0.5,
        other: new Instance('omegaconf.DictConfig', { x: new Code('ctyping\nAny\n') }),
      },
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => tried(anyBytes(whole, rng(key(seed))))),
      { numRuns: 3000 },
    );
  });
});
