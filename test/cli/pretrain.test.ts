import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { nina, ninaJson } from './nina.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-cli-pretrain-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));
const out = path.join(folder, 'run');

test('pretrain makes an encoder, tells what it knows, and refuses to begin twice', () => {
  const result = ninaJson('pretrain', '--out', out, '--steps', 2, '--batch_size', 2, '--evaluated_scenes', 10);
  expect(result).toMatchObject({
    encoder: path.join(out, 'encoder'),
    scenes: 10,
    views: { agentview: { cm: { median: expect.any(Number) } }, eye_in_hand: { pixels: { n: expect.any(Number) } } },
    readout: { seen: { mean: { target_cm: { n: expect.any(Number) } } } },
  });
  expect(JSON.parse(fs.readFileSync(path.join(out, 'encoder/config.json'), 'utf8')).encoder.name).toBe(
    'florence2-nano',
  );
  const again = nina('pretrain', '--out', out, '--steps', 2);
  expect(again.code).toBe(2);
  expect(again.stderr).toBe(
    `${out} holds a pretraining already: go on with it by --resume, or choose another --out.\n`,
  );
  const other = nina('pretrain', '--out', out, '--resume', '--seed', 1);
  expect(other.code).toBe(2);
  expect(other.stderr).toBe(`${out} was begun with --seed 0, and goes on with that; got 1.\n`);
});

test('what cannot be is told', () => {
  const nothing = nina('pretrain', '--out', path.join(folder, 'none'), '--resume');
  expect(nothing.code).toBe(2);
  expect(nothing.stderr).toBe(`${folder}/none holds no pretraining to go on with: begin one without --resume.\n`);
  const wrong = nina('pretrain', '--out', path.join(folder, 'none'), '--steps', 'many');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toBe('--steps many: Invalid input: expected number, received string.\n');
  const none = nina('pretrain', '--out', path.join(folder, 'none'), '--steps', 0, '--names', 2);
  expect(none.code).toBe(2);
  expect(none.stderr).toBe(
    '--steps 0: Too small: expected number to be >=1. --names 2: Too small: expected number to be >=3.\n',
  );
  expect(fs.existsSync(path.join(folder, 'none'))).toBe(false);
});
