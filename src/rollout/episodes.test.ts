import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect, test } from 'vitest';
import { appendEpisode, type EpisodeLine, evaluationOf, readEpisodes } from './episodes.ts';

const line = (task: string, episode: number, success: boolean, latency_ms = [1, 2]): EpisodeLine => ({
  ...{ run: 'r', suite: 's', task, episode, seed: 0, success, steps: 9, latency_ms },
  ...{ final_state: 'f', engine: '3', scene: 'x' },
});
const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'nina-episodes-')), 'deep', 'episodes.jsonl');

test('what is appended is read; a line cut short is dropped; a strange line is an error', () => {
  expect(readEpisodes(file)).toEqual([]);
  fs.mkdirSync(path.dirname(file));
  const lines = [line('a', 0, true), line('a', 1, false)];
  for (const one of lines) appendEpisode(file, one);
  expect(readEpisodes(file)).toEqual(lines);
  fs.appendFileSync(file, JSON.stringify(line('a', 2, true)).slice(0, -10));
  expect(readEpisodes(file)).toEqual(lines);
  appendEpisode(file, line('b', 0, true));
  expect(readEpisodes(file)).toHaveLength(3);
  fs.appendFileSync(file, '{"run": 1}\n');
  expect(() => readEpisodes(file)).toThrow(/episodes.jsonl, line 4: run: .* A line is no episode/);
});

test('sums per task and over the suite', () => {
  const lines = [line('a', 0, true), line('a', 1, false, [3]), line('b', 0, true, [4])];
  const tasks = ['a', 'b'].map((name) => ({ name, instruction: `do ${name}` }));
  const { tasks: perTask, ...all } = evaluationOf('s', tasks, lines);
  expect(all).toMatchObject({ suite: 's', n: 3, successes: 2, success_rate: 2 / 3, latency_ms: { p50: 2.5 } });
  expect(perTask).toMatchObject([
    { task: 'a', instruction: 'do a', n: 2, successes: 1, success_rate: 0.5 },
    { task: 'b', n: 1, successes: 1, success_rate: 1 },
  ]);
});
