/**
 * Parity with the reference: two fixtures that the authors' PyTorch module computed, and two small ones with PLU from
 * the published equations in float64 PyTorch.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { registerParity } from '../src/cli/parity.ts';
import { readSafetensors, writeSafetensors } from '../src/tensor/safetensors.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const names = ['nina-mlp-noplu', 'nina-transformer-noplu', 'nina-mlp-plu-small', 'nina-transformer-plu-small'];
const file = (name: string) => path.join(fixtures, `${name}.safetensors`);

async function parity(...args: string[]): Promise<string> {
  let printed = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  const program = new Command().exitOverride();
  registerParity(program);
  try {
    await program.parseAsync(['parity', ...args], { from: 'user' });
  } finally {
    stdout.mockRestore();
  }
  return printed;
}

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'parity-'));
afterAll(() => fs.rmSync(temporary, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** A copy of a fixture with one thing changed. */
function changed(name: string, edit: (fixture: ReturnType<typeof readSafetensors>) => void): string {
  const fixture = readSafetensors(file(name));
  edit(fixture);
  const target = path.join(temporary, `${name}.safetensors`);
  writeSafetensors(target, fixture.tensors, fixture.metadata);
  return target;
}

describe('nina parity', () => {
  test.each(names)('%s agrees within the limits of float32', async (name) => {
    const { z, log_det, log_prob, inverse, loss, grad_max, pass } = JSON.parse(await parity(file(name), '--json'));
    for (const forward of [z, log_det, log_prob, loss]) expect(forward).toBeLessThanOrEqual(3e-5);
    expect(grad_max).toBeLessThanOrEqual(1e-4);
    expect(inverse).toBeLessThanOrEqual(1e-4);
    expect(pass).toBe(true);
  });

  test('names what is dead', async () => {
    expect(await parity(file('nina-transformer-noplu'))).toContain('layers.*.net.subblocks.*.norm2.weight');
  });

  test.each([
    ['expected.z', 'z'],
    ['expected.log_det', 'log_det'],
    ['expected.log_prob', 'log_prob'],
    ['expected.inverse', 'inverse'],
    ['expected.loss', 'loss'],
    ['expected.grad.layers.2.s', 'grad_max'],
  ])('a change of a thousandth in %s is found', async (tensor, quantity) => {
    const target = changed('nina-mlp-plu-small', ({ tensors }) => {
      const { data } = tensors[tensor]!;
      if (data instanceof Float32Array) data.set(data.map((v) => v * 1.001));
    });
    await expect(parity(target)).rejects.toThrow(`${target}: ${quantity} differ from the reference`);
  });

  test('NaN is beyond any limit', async () => {
    const target = changed(
      'nina-mlp-plu-small',
      ({ tensors }) => (tensors['weights.layers.2.s']!.data[0] = Number.NaN),
    );
    await expect(parity(target)).rejects.toThrow('z, log_det, log_prob, inverse, loss, grad_max differ');
  });

  test('a file that is no fixture is refused by what it lacks', async () => {
    const target = changed('nina-mlp-plu-small', ({ metadata }) => {
      delete metadata.n_layers;
    });
    await expect(parity(target)).rejects.toThrow('is not a parity fixture: its metadata is wrong');
    const short = changed('nina-mlp-plu-small', ({ tensors }) => {
      delete tensors.z_base;
    });
    await expect(parity(short)).rejects.toThrow('has no float32 tensor z_base');
  });
});
