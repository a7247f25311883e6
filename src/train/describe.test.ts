import * as fs from 'node:fs';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { trainConfig } from './config.ts';
import { describeSettings, settingsPage } from './describe.ts';
import { readRecipe } from './recipe.ts';

const PAGE = path.join(import.meta.dirname, '../../docs/settings.md');

test('docs/settings.md is what the schemas say', () => {
  expect(fs.readFileSync(PAGE, 'utf8'), "run 'npm run build', then 'node scripts/settings.mjs'").toBe(settingsPage());
});

test('a setting comes with its values, default and meaning', () => {
  for (const row of [
    '| `seed` | integer >= 0 | 0 | every random number of the run follows from it |',
    '| `backbone` | mlp \\| trans | mlp | conditioner: two perceptrons on scalars (mlp), or one Transformer on time steps (trans) |',
    '| `views` | list | [agentview, eye_in_hand] | cameras, in the order of their tokens |',
    '| `learning_rate` | number > 0 | 0.00002 | peak |',
    '| `use_plu` | true \\| false | true | with the linear maps: PLU, a permutation times a lower and an upper triangular matrix |',
  ])
    expect(settingsPage()).toContain(row);
  expect(describeSettings()).toMatch(/^decoder: \{ name: flower \}\nname +nina \| flower \| regression +nina /m);
  expect(describeSettings()).toMatch(/^threads +integer >= 1, <= 64 +1 +threads inside one operation$/m);
});

test('the recipe that the page shows is one', () => {
  const [, yaml] = /```yaml\n(.*?)```/s.exec(settingsPage())!;
  const folder = fs.mkdtempSync('/tmp/nina-settings-');
  const file = path.join(folder, 'shown.yaml');
  fs.writeFileSync(file, yaml);
  expect(trainConfig(readRecipe(file))).toMatchObject({
    data: 'demos',
    encoder: { dim: 64 },
    acting: { temperature: 0 },
  });
  fs.rmSync(folder, { recursive: true });
});
