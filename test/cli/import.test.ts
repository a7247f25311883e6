/** `nina import` from the command line, and what other commands make of its result. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nina, ninaJson } from './nina.ts';

const fixtures = path.join(import.meta.dirname, '../fixtures');
const sizes = ['--heads', '1,2,2,3', '--groups', '2,3,4,2', '--encoder-heads', 3, '--window', 5, '--image-size', 32];
const words = ['--prompt', '{instruction}', '--tokenizer', path.join(fixtures, 'florence2/tokenizer-tiny.json')];
const EXPECTED = path.join(fixtures, 'import/expected.safetensors');

let dir: string;
const at = (name: string) => path.join(dir, name);
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'nina-import-'));
  const zipped = fs.readFileSync(path.join(fixtures, 'import/nina-trans.ckpt.gz'));
  fs.writeFileSync(at('policy.ckpt'), zlib.gunzipSync(zipped));
});
afterAll(() => fs.rmSync(dir, { recursive: true }));

test('a Lightning checkpoint becomes one of ours, which inspect loads and parity judges', () => {
  const { code, stdout } = nina(
    'import',
    at('policy.ckpt'),
    '--out',
    at('policy'),
    ...sizes,
    ...words,
    '--flow-token',
    'last-row',
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^wrote +.*a checkpoint\n/);
  expect(stdout).toMatch(/left out +BART's head: 1 tensor, vlm\.language_model\.final_logits_bias\n/);
  expect(stdout).toMatch(/note +the weights are callbacks\.EMA\.ema_weights/);
  expect(nina('inspect', at('policy')).stdout).toMatch(
    /imported +from policy\.ckpt[\s\S]*NinA-trans[\s\S]*self-test +passed/,
  );
  expect(ninaJson('parity', EXPECTED, '--checkpoint', at('policy'))).toMatchObject({ pass: true });
});

test("Microsoft's weights become the folder of an encoder", () => {
  const file = path.join(fixtures, 'import/microsoft.safetensors');
  const said = ninaJson('import', file, '--out', at('encoder'), ...sizes, ...words, '--flow-token', 'random:3');
  expect(said).toMatchObject({ kind: 'encoder', config: { encoder: { name: 'florence2', dims: [4, 6, 8, 12] } } });
  expect(ninaJson('inspect', at('encoder'))).toMatchObject({ self_test: 'passed', format: 'nina-encoder' });
  // Another <Flow> than the reference's: what parity is for.
  const { code, stdout, stderr } = nina('parity', EXPECTED, '--checkpoint', at('encoder'));
  expect([code, stderr]).toEqual([
    1,
    `${EXPECTED}: features differ from the reference by more than float32 explains.\n`,
  ]);
  expect(stdout).toMatch(/features .* exceeded/);
});

test('what is wrong is said, and nothing is written', () => {
  const file = at('policy.ckpt');
  expect(nina('import', file, '--out', at('none'))).toMatchObject({ code: 2, stdout: '' });
  expect(nina('import', file, '--out', at('none'), '--heads', '1,2').stderr).toMatch(/four integers/);
  expect(nina('parity', EXPECTED).stderr).toMatch(/import one and name it, --checkpoint FOLDER/);
  fs.writeFileSync(at('cut.ckpt'), fs.readFileSync(file).subarray(0, 50_000));
  const cut = nina('import', at('cut.ckpt'), '--out', at('none'), ...sizes, ...words, '--flow-token', 'mean');
  expect(cut).toMatchObject({ code: 1, stdout: '' });
  expect(cut.stderr).toMatch(/not a whole zip file/);
  expect(fs.existsSync(at('none'))).toBe(false);
});
