import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SILENT } from '../../src/progress.ts';
import { train, trainConfig } from '../../src/train/index.ts';

let run: string;
beforeEach(() => {
  run = fs.mkdtempSync(path.join(os.tmpdir(), 'drafts-'));
});
afterEach(() => fs.rmSync(run, { recursive: true, force: true }));

test('training sweeps what a killed one was writing', async () => {
  fs.mkdirSync(path.join(run, 'checkpoints', '40'), { recursive: true });
  fs.mkdirSync(path.join(run, 'checkpoints', '.50.4321.tmp'));
  fs.writeFileSync(path.join(run, '.state.safetensors.4321.tmp'), '');
  // It ends before the first step: the sweep comes first.
  const training = train(run, trainConfig(new Map()), { signal: new AbortController().signal, report: SILENT });
  await expect(training).rejects.toThrow('names no data');
  expect(fs.readdirSync(run)).toEqual(['checkpoints']);
  expect(fs.readdirSync(path.join(run, 'checkpoints'))).toEqual(['40']);
});
