import { expect, test } from 'vitest';
import { parseObservation } from './observation.ts';

const json = (proprio: string, instruction = 'put the NaN') =>
  `{"proprio": [0, ${proprio}, 0, 0, 0, 0, 0, 0, 0, 0, 0], "entities": [], "categories": [], "instruction": ${JSON.stringify(instruction)}}`;

test('an observation is what its JSON says', () => {
  expect(parseObservation(json('1.5'), 'it')).toEqual({
    ...{ proprio: [0, 1.5, ...Array(9).fill(0)], entities: [], categories: [], instruction: 'put the NaN' },
  });
});

test.each([
  [json('NaN'), 'It holds NaN at proprio.1; every number must be finite.'],
  [json('-Infinity', 'say "NaN", \\"'), 'It holds -Infinity at proprio.1; every number must be finite.'],
  [json('1e999'), 'the number 1e999 is too large'],
  [json('1e39'), 'proprio[1] is 1e+39: every number that a policy is given must be finite in float32.'],
  [json('null'), 'proprio.1: '],
  ['{"proprio": [NaN', 'It is not JSON'],
  ['', 'It is not JSON'],
])('%s', (text, told) => {
  expect(() => parseObservation(text, 'It')).toThrow(told);
});
