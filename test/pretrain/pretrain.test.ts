/** A whole pretraining of a tiny encoder, as compiled: its threads run compiled code. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cpu } from '../../src/engine/index.ts';
import { hashFile } from '../../src/file-hash.ts';
import { readEncoderFolder, requireEncoderSelfTest } from '../../src/policy/index.ts';
import { type Pretraining, pretrainSchema } from '../../src/pretrain/index.ts';
import { TINY, tokenizerJson } from '../support/pretrain.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-pretrain-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const at = (...names: string[]) => path.join(folder, ...names);

const what: Pretraining = {
  encoder: TINY,
  tokenizer: tokenizerJson(),
  settings: pretrainSchema.parse({
    ...{ steps: 6, seed: 5, batch_size: 3, names: 4, phrases: 2 },
    ...{ evaluated_scenes: 10, evaluate_every: 4, save_every: 2 },
  }),
};

let pretrain: typeof import('../../src/pretrain/index.ts').pretrain;
beforeAll(async () => {
  ({ pretrain } = (await import(
    path.join(import.meta.dirname, '../../dist/pretrain/index.js')
  )) as typeof import('../../src/pretrain/index.ts'));
  await pretrain(at('whole'), what, { workers: 2 });
});

/** What a run leaves, by the names of its files. */
const contents = (run: string): Record<string, string> =>
  Object.fromEntries(
    fs
      .readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => path.join(parentPath, name))
      .map((file): [string, string] => [path.relative(run, file), hashFile(file)])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

test('an encoder comes out, in half the bytes, that passes its self-test', async () => {
  const found = readEncoderFolder(at('whole/encoder'));
  expect(found.config).toEqual(TINY);
  expect(found.manifest.origin).toMatchObject({
    // With every setting that is not the standard one, so that the command makes these weights again.
    command:
      'nina pretrain --steps 6 --seed 5 --batch_size 3 --names 4 --evaluated_scenes 10 --evaluate_every 4 --save_every 2',
    'views.agentview.cm.n': expect.any(Number),
  });
  await requireEncoderSelfTest(found, cpu);
  expect(fs.statSync(at('whole/encoder/model.safetensors')).size).toBeLessThan(3 * found.manifest.parameters);
  expect(fs.readFileSync(at('whole/grounding.svg'), 'utf8')).toContain('<image');
});

test('a run that was stopped and goes on with one thread ends in the same bits', async () => {
  const stop = new AbortController();
  const report = { notice() {}, progress: ({ done }: { done: number }) => void (done === 3 && stop.abort()) };
  await expect(pretrain(at('stopped'), what, { workers: 2, signal: stop.signal, report })).rejects.toThrow(
    `Stopped after step 3 of 6. Go on with: nina pretrain --out ${at('stopped')} --resume`,
  );
  expect(fs.existsSync(at('stopped/encoder'))).toBe(false);
  await pretrain(at('stopped'), what, { workers: 1 });
  expect(contents(at('stopped'))).toEqual(contents(at('whole')));
});

test('a report of steps that were lost is not there twice', async () => {
  fs.cpSync(at('whole'), at('lost'), { recursive: true });
  const reports = at('lost/reports.jsonl');
  fs.appendFileSync(reports, '{"step":9}\n{"st');
  await pretrain(at('lost'), what, { workers: 1 });
  const steps = fs
    .readFileSync(reports, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).step);
  expect(steps).toEqual([4, 6]);
});

test('a folder goes on with the settings that it was begun with', async () => {
  const other = { ...what, settings: { ...what.settings, seed: 6 } };
  await expect(pretrain(at('whole'), other)).rejects.toThrow(
    `${at('whole')} was begun with other settings, another encoder or another tokenizer. Choose another folder.`,
  );
});
