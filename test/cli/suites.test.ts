import { expect, test } from 'vitest';
import { nina, ninaJson } from './nina.ts';

test('suites lists five suites of 10, 10, 10, 10 and 90 tasks with instructions and goals', () => {
  const suites = ninaJson('suites');
  expect(suites.map((s: { suite: string; tasks: unknown[] }) => [s.suite, s.tasks.length])).toEqual([
    ['tabletop-spatial', 10],
    ['tabletop-object', 10],
    ['tabletop-goal', 10],
    ['tabletop-10', 10],
    ['tabletop-90', 90],
  ]);
  for (const { tasks } of suites)
    for (const task of tasks) expect(task).toMatchObject({ instruction: expect.any(String), goal: expect.any(Array) });
  expect(nina('suites', '--suite', 'tabletop-object').stdout).toContain('pick up the milk and place it in the basket');
});

test('help and version exit with 0', () => {
  expect(nina('--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const help = nina('--help');
  expect(help.code).toBe(0);
  for (const command of ['suites', 'demos', 'replay', 'train', 'eval']) expect(help.stdout).toContain(`  ${command} `);
});
