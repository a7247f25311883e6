/**
 * Parity with the reference. NinA: two fixtures that the authors' PyTorch module computed, and two small ones with PLU
 * from the published equations in float64 PyTorch. FLOWER: two small ones, from the published equations written
 * independently in float64 PyTorch (autograd for the gradients, complex products for the rotary embedding), random weights
 * that are exact in float16 and stored as such.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { registerParity } from '../src/cli/parity.ts';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
const names = ['nina-mlp-noplu', 'nina-transformer-noplu', 'nina-mlp-plu-small', 'nina-transformer-plu-small'];
const flowers = ['flower-one-head-small', 'flower-two-heads-small'];
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

  test.each(flowers)('%s agrees within the limits of float32', async (name) => {
    const { velocity, loss, sample, grad_max, pass, dead } = JSON.parse(await parity(file(name), '--json'));
    for (const error of [velocity, loss, sample, grad_max]) expect(error).toBeLessThanOrEqual(1e-4);
    expect([pass, dead]).toEqual([true, []]);
    const printed = await parity(file(name));
    for (const quantity of ['velocity', 'loss', 'sample', 'grad_max']) expect(printed).toContain(`\n${quantity} `);
  });

  test.each([
    ['expected.velocity', 'velocity'],
    ['expected.loss', 'loss'],
    ['expected.sample_unclamped', 'sample'],
    ['expected.grad.dit.0.self_attn.qkv.weight', 'grad_max'],
  ])('a change of a thousandth in %s of FLOWER is found', async (tensor, quantity) => {
    const target = changed('flower-two-heads-small', ({ tensors }) => {
      const { data } = tensors[tensor];
      if (data instanceof Float32Array) data.set(data.map((v) => v * 1.001));
    });
    await expect(parity(target)).rejects.toThrow(`${target}: ${quantity} differ from the reference`);
  });

  test('unused weights of FLOWER are named, others refused', async () => {
    const name = 'flower-one-head-small';
    const weight = { shape: [1], data: Float32Array.of(1) };
    const more = changed(name, ({ tensors }) => {
      tensors['weights.action_encoders.joint_single.fc1.bias'] = weight;
    });
    expect(await parity(more)).toContain('no output depends on them: action_encoders.joint_single.fc1.bias');
    const other = changed(name, ({ tensors }) => {
      tensors['weights.vlm.bias'] = weight;
    });
    await expect(parity(other)).rejects.toThrow('unexpected: vlm.bias');
  });

  test('a decoder that we do not have is named', async () => {
    const target = changed('flower-one-head-small', ({ metadata }) => {
      metadata.decoder = 'regression';
    });
    await expect(parity(target)).rejects.toThrow(
      'is a fixture of the decoder regression; parity knows nina, flower, florence2.',
    );
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
      const { data } = tensors[tensor];
      if (data instanceof Float32Array) data.set(data.map((v) => v * 1.001));
    });
    await expect(parity(target)).rejects.toThrow(`${target}: ${quantity} differ from the reference`);
  });

  test('NaN is beyond any limit', async () => {
    const target = changed('nina-mlp-plu-small', ({ tensors }) => (tensors['weights.layers.2.s'].data[0] = Number.NaN));
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
