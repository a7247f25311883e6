/** `nina suites`: what there is to learn: suites, tasks, instructions, goals. */
import type { Command } from 'commander';
import { toJson } from '../json.ts';

export function registerSuites(program: Command): void {
  program
    .command('suites')
    .description('list suites, tasks, instructions and goals')
    .option('--suite <name>', 'only this suite')
    .option('--json', 'print JSON', false)
    .action(async (options: { suite?: string; json: boolean }) => {
      const [{ SUITES }, { loadSuite }] = await Promise.all([import('../sim/index.ts'), import('../sim/suites.ts')]);
      const suites = (options.suite ? [options.suite] : SUITES).map((suite) => ({
        suite,
        tasks: loadSuite(suite).map(({ index, name, instruction, maxSteps, problem }) => ({
          task: index,
          name,
          instruction,
          goal: problem.goal.map(({ predicate, args }) => `${predicate}(${args.join(', ')})`),
          max_steps: maxSteps,
        })),
      }));
      if (options.json) {
        process.stdout.write(`${toJson(suites)}\n`);
        return;
      }
      for (const { suite, tasks } of suites) {
        process.stdout.write(`${suite} (${tasks.length} tasks, at most ${tasks[0]?.max_steps} steps)\n`);
        for (const { task, instruction, goal } of tasks)
          process.stdout.write(`${String(task).padStart(4)}  ${instruction}\n        ${goal.join(' and ')}\n`);
      }
    });
}
