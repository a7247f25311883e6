/** Task files, down to the scene they are played in. */
import * as path from 'node:path';
import { test } from 'vitest';
import { readText } from '../../src/json-files.ts';
import type { Rng } from '../../src/random.ts';
import { fold, key } from '../../src/random.ts';
import { PREDICATES, parseBddl } from '../../src/sim/bddl/index.ts';
import { SUITES, TabletopEnvironment } from '../../src/sim/index.ts';
import { buildScene } from '../../src/sim/scene.ts';
import { loadSuite } from '../../src/sim/suites.ts';
import { expectBoth, hunt, notSound, PATIENCE_MS } from './battery.ts';
import { anyText } from './text.ts';

const WORDS: readonly ((r: Rng) => string)[] = [
  (r) => r.pick(['(', ')', '()', ';', '-', '\0', '(And)', '((', '))', '"', '<', '&', '/>', '" x="1', '-- ']),
  (r) =>
    r.pick([
      '0',
      '-0',
      '1e400',
      '1e308',
      'NaN',
      'inf',
      'pi',
      '-pi/2',
      'pi/0',
      '0*pi/0',
      '1e-400',
      '0x10',
      '1,5',
      '1e9',
    ]),
  (r) => r.pick(Object.keys(PREDICATES)),
  (r) => r.pick(['table', 'floor', 'world', 'constructor', '__proto__', 'toString', 'can', 'basket', 'cabinet', 'eef']),
  (r) => r.pick([':ranges', ':target', ':init', ':goal', ':yaw_rotation', ':regions', ':objects', '(:goal (On a b))']),
  (r) => '('.repeat(r.pick([10, 100_000])),
];

test('task files', { timeout: PATIENCE_MS }, async () => {
  const tasks = SUITES.flatMap((suite) => loadSuite(suite));
  const mutate = anyText(/[^\s()]+|[()]/g, WORDS);
  const seen = await hunt({
    name: 'bddl',
    files: (r) => ({ 'a.bddl': Buffer.from(r.pick(tasks).bddl) }),
    mutate: ({ 'a.bddl': bytes }, r) => ({ 'a.bddl': mutate(bytes, r) }),
    async read(folder, index) {
      const problem = parseBddl(readText(path.join(folder, 'a.bddl')), 'a.bddl');
      const scene = buildScene(problem);
      const wrong = notSound([problem, scene.objects, [...scene.regions.values()]]);
      if (wrong || index % 20 !== 0) return wrong;
      using environment = await TabletopEnvironment.open({ ...tasks[0], problem });
      return notSound([environment.reset(fold(key(0), index)), environment.state()]);
    },
  });
  expectBoth(seen);
});
