import { expect, test } from 'vitest';
import { parseObservation } from './observation.ts';

const json = (number: string, instruction = 'put the NaN') =>
  `{"state": [0, ${number}, 0], "entities": {"categories": [], "poses": []}, "instruction": ${JSON.stringify(instruction)}}`;

test('an observation is what its JSON says', () => {
  expect(parseObservation(json('1.5'), 'it')).toEqual({
    ...{ state: [0, 1.5, 0], entities: { categories: [], poses: [] }, instruction: 'put the NaN' },
  });
});

test('pictures are read, too', () => {
  const text = '{"images": {"front": {"width": 1, "height": 2, "rgb": "AAECAwQF"}}, "instruction": "open it"}';
  expect(parseObservation(text, 'it')).toEqual({
    images: { front: { width: 1, height: 2, data: Uint8Array.of(0, 1, 2, 3, 4, 5) } },
    instruction: 'open it',
  });
  expect(() => parseObservation(text.replace('"height": 2', '"height": 3'), 'It')).toThrow(
    'It: images.front.rgb: 1 x 3 pixels are 12 characters of base64; got 8. Wanted an observation: {images: {VIEW: {width, height, rgb: base64}}, ',
  );
});

test.each([
  [json('NaN'), 'It holds NaN at state.1; every number must be finite.'],
  [json('-Infinity', 'say "NaN", \\"'), 'It holds -Infinity at state.1; every number must be finite.'],
  [json('1e999'), 'the number 1e999 is too large'],
  [json('1e39'), 'state[1] is 1e+39: every number that a policy is given must be finite in float32.'],
  [json('null'), 'state.1: '],
  ['{"state": [NaN', 'It is not JSON'],
  ['', 'It is not JSON'],
])('%s', (text, told) => {
  expect(() => parseObservation(text, 'It')).toThrow(told);
});
