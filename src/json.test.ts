import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { NinaError } from './errors.ts';
import { checkJson, parseJson, toJson } from './json.ts';
import { readJsonLines, readJsonLog, readText } from './json-files.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-json-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const file = (content: string | Uint8Array) => {
  const name = path.join(folder, 'a.jsonl');
  fs.writeFileSync(name, content);
  return name;
};

describe('out', () => {
  test('a number that is not finite is named with its place, wherever it is', () => {
    expect(() => toJson({ a: [{ b: 1 }, { b: Number.NaN }] })).toThrow(/^a\[1\]\.b is NaN, which JSON cannot hold/);
    expect(() => toJson({ x: Float32Array.of(0, Number.POSITIVE_INFINITY) })).toThrow(/^x\.1 is Infinity/);
    expect(() => toJson(Number.NEGATIVE_INFINITY)).toThrow(/^The result is -Infinity/);
  });

  test('anything else is as JSON.stringify writes it, and comes back', () => {
    const value = fc.jsonValue({ noUnicodeString: false }).filter((v) => !JSON.stringify(v).includes('__proto__'));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (some, indent) => {
        const text = toJson(some, indent);
        expect(text).toBe(JSON.stringify(some, null, indent));
        expect(parseJson(text, 'x')).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('in', () => {
  test('a text as long as a large picture is read', () => {
    const value = { a: 'x'.repeat(2e7), b: [1] };
    expect(parseJson(JSON.stringify(value), 'it')).toEqual(value);
    expect(() => parseJson(JSON.stringify(value).replace('[1]', '[NaN]'), 'It')).toThrow('It holds NaN at b.0');
  });

  test.each([
    ['{"a": 1, "b": {"c": 2, "\\u0063": 3}}', /the key "c" comes twice/],
    ['[1e400]', /the number 1e400 is too large/],
    ['{"__proto__": {"a": 1}}', /it has a key "__proto__"/],
    ['{"\\u005f_proto__" : 1}', /it has a key "__proto__"/],
    ['"\\ud800"', /a text holds half a character/],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, /nested deeper than 100 levels/],
    ['{"a": NaN}', /^x holds NaN at a; every number must be finite\.$/],
    ['{"a": 1', /is not JSON: /],
    ['', /is not JSON: Unexpected end of JSON input/],
    ['{"a":"\u0007"}', /^x is not JSON: \P{Cc}*$/u],
  ])('%s', (text, message) => {
    expect(() => parseJson(text, 'x')).toThrow(NinaError);
    expect(() => parseJson(text, 'x')).toThrow(message);
  });

  test('equal keys of different objects, braces in texts and escaped quotes are no mistakes', () => {
    const text = '{"a": {"k": "}{\\"k\\":"}, "b": [{"k": 1e-400}, {"k": -0}]}';
    expect(parseJson(text, 'x')).toEqual(JSON.parse(text));
  });

  test('bytes that are not UTF-8 are told, a byte order mark is passed over', () => {
    expect(() => readText(file(Uint8Array.of(0x61, 0xff)))).toThrow(/a\.jsonl is not text: the bytes are not UTF-8/);
    expect(readText(file('\ufeff{}'))).toBe('{}');
  });

  test('a schema names what is wrong and where, and what is missing', () => {
    const schema = z.strictObject({ a: z.array(z.number()), b: z.string() });
    expect(() => checkJson(schema, { a: [1, null] }, 'x', 'Do it again.')).toThrow(
      'x: a.1: expected number, received null; b: expected string, found none. Do it again.',
    );
  });
});

test('lines: a damaged one is named; a last one cut is dropped from a log only', () => {
  const schema = z.object({ n: z.int() });
  const log = (content: string | Uint8Array) => readJsonLog(file(content), schema, 'Remove it.');
  expect(log('{"n":1}\n{"n":2}\n{"n":3')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(log(Buffer.concat([Buffer.from('{"n":1}\n{"n'), Uint8Array.of(0xc3)]))).toEqual([{ n: 1 }]);
  expect(log('')).toEqual([]);
  expect(() => log('{"n":1}\n{"n":"2"}\n')).toThrow(
    /a\.jsonl, line 2: n: expected number, received string\. Remove it\.$/,
  );
  expect(() => log('{"n":1}\n\n{"n":2}\n')).toThrow(/line 2 is not JSON/);
  expect(readJsonLines(file('{"n":1}\n{"n":2}'), schema, 'x')).toEqual([{ n: 1 }, { n: 2 }]);
  expect(() => readJsonLines(file('{"n":1}\n{"n":2'), schema, 'x')).toThrow(/line 2 is not JSON/);
});
