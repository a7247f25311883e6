import { expect, test } from 'vitest';
import { parseObservation } from './observation.ts';

const json = (proprio: string, instruction = 'put the NaN') =>
  `{"proprio": [0, ${proprio}], "entities": [], "categories": [], "instruction": ${JSON.stringify(instruction)}}`;

test('an observation is what its JSON says', () => {
  expect(parseObservation(json('1.5'), 'it')).toEqual({
    ...{ proprio: [0, 1.5], entities: [], categories: [], instruction: 'put the NaN' },
  });
});

test.each([
  [json('NaN'), 'It holds NaN at proprio.1; every number must be finite.'],
  [json('-Infinity', 'say "NaN", \\"'), 'It holds -Infinity at proprio.1; every number must be finite.'],
  [json('1e999'), 'proprio.1: '],
  [json('1e39'), "It holds 1e+39 at proprio.1, which is beyond float32's numbers."],
  [json('null'), 'proprio.1: '],
  ['{"proprio": [NaN', 'It is not JSON'],
  ['', 'It is not JSON'],
])('%s', (text, told) => {
  expect(() => parseObservation(text, 'It')).toThrow(told);
});
