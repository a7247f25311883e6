import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkJson, parseJson } from '../json.ts';
import {
  type Observation,
  observationFromJson,
  observationSchema,
  observationToJson,
  requirePicture,
} from './index.ts';

const picture = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => ({ width, height, data })),
  );
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const observation: fc.Arbitrary<Observation> = fc.record(
  {
    images: fc.dictionary(fc.constantFrom('agentview', 'eye_in_hand', 'constructor'), picture),
    state: fc.array(number),
    entities: fc.record({ categories: fc.array(fc.string()), poses: fc.array(number) }),
    instruction: fc.string(),
  },
  { requiredKeys: ['instruction'] },
);

test('an observation comes back from JSON as it went, pictures to the byte', () => {
  fc.assert(
    fc.property(observation, (seen) => {
      const text = JSON.stringify(observationToJson(seen));
      const back = observationFromJson(checkJson(observationSchema, parseJson(text, 'it'), 'it'));
      // Without prototypes, which fast-check leaves out; and JSON has one zero.
      expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(seen)));
      for (const [view, { data }] of Object.entries(back.images ?? {})) expect(data).toEqual(seen.images![view].data);
    }),
  );
});

test('bytes are base64 as everyone writes it', () => {
  fc.assert(
    fc.property(picture, (seen) => {
      const { images } = observationToJson({ images: { front: seen }, instruction: '' });
      expect(images!.front.rgb).toBe(Buffer.from(seen.data).toString('base64'));
    }),
  );
});

describe('pictures that are none', () => {
  const stored = (change: object) => ({
    ...{ instruction: 'open it', images: { front: { width: 2, height: 1, rgb: 'AAECAwQF', ...change } } },
  });
  test('one that is', () => {
    expect(observationFromJson(observationSchema.parse(stored({}))).images!.front.data).toEqual(
      Uint8Array.of(0, 1, 2, 3, 4, 5),
    );
  });

  test.each([
    [{ rgb: 'AAECAwQ' }, 'images.front.rgb: 2 x 1 pixels are 8 characters of base64; got 7'],
    [{ rgb: 'AAECAwQFAAAA' }, 'images.front.rgb: 2 x 1 pixels are 8 characters of base64; got 12'],
    [{ rgb: 'AAECAwQ=' }, 'images.front.rgb: wanted base64: letters, digits, + and /'],
    [{ rgb: 'AAEC-wQF' }, 'images.front.rgb: wanted base64: letters, digits, + and /'],
    [{ width: 0 }, 'images.front.width: '],
    [{ height: 1.5 }, 'images.front.height: '],
    [{ height: 1e300 }, 'images.front.height: '],
    [{ depth: 3 }, 'images.front: Unrecognized key: "depth"'],
  ])('%j', (change, told) => {
    expect(() => checkJson(observationSchema, stored(change), 'It')).toThrow(`It: ${told}`);
  });

  test.each([
    [{ width: 2, height: 2 }, "The picture of the view 'front' is 2 x 2 pixels and holds 6 bytes: wanted sides of "],
    [{ width: -2, height: -1 }, 'is -2 x -1 pixels and holds 6 bytes'],
    [{ width: 0.5, height: 4 }, 'is 0.5 x 4 pixels and holds 6 bytes'],
  ])('to be stored: %j', (size, told) => {
    const wrong = { ...size, data: new Uint8Array(6) };
    expect(() => requirePicture('front', wrong)).toThrow(told);
    expect(() => observationToJson({ images: { front: wrong }, instruction: '' })).toThrow(told);
  });
});
