/** `nina inspect`: what a checkpoint is, how it must be driven, and whether its self-test passes here. */
import type { Command } from 'commander';
import { toJson } from '../json.ts';

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('describe a checkpoint, run its self-test and print its action specification')
    .argument('<checkpoint>', "a checkpoint, a training run's folder (its newest checkpoint), or an encoder's folder")
    .option('--json', 'print JSON', false)
    .action(async (checkpoint: string, { json }: { json: boolean }) => {
      const { decoderOf } = await import('../decoders/index.ts');
      const { encoderOf } = await import('../encoders/index.ts');
      const { isEncoderFolder, loadPolicy } = await import('../policy/index.ts');
      const { describeActions } = await import('../robot/index.ts');
      if (isEncoderFolder(checkpoint)) return inspectEncoder(checkpoint, json);
      using policy = await loadPolicy(checkpoint);
      const { config, manifest, directory, statistics } = policy;
      const { self_test: _, ...origin } = manifest;
      if (json) {
        process.stdout.write(
          `${toJson({ directory, ...origin, config, backend: policy.backend, surprise: statistics.surprise, self_test: 'passed' })}\n`,
        );
        return;
      }
      const { decoder, encoder, robot } = config;
      const lines = [
        ['checkpoint', directory],
        origin.imported
          ? ['imported', `from ${origin.imported.file}, sha256 ${origin.data_hash.slice(0, 12)}`]
          : ['trained', `${origin.step} steps, seed ${origin.seed}, data ${origin.data_hash.slice(0, 12)}`],
        ...(origin.imported?.notes ?? []).map((note) => ['', note] as const),
        ['made by', `nina-vla ${origin.package_version}, ${origin.engine_version}`],
        ['parameters', `${(origin.parameters / 1e6).toFixed(2)} M`],
        ['decoder', decoderOf(decoder).describe(decoder)],
        [
          'chunk',
          `${decoder.chunk_length} actions, of which ${config.acting.multistep} are executed; temperature ${config.acting.temperature}`,
        ],
        ['robot', robot.name],
        ...encoderOf(encoder).describe(encoder),
        ['backend', policy.backend],
        ...(statistics.surprise?.scales ?? []).map(({ temperature, quantiles }) => {
          const nats = (share: number) => quantiles[Math.round(share * (quantiles.length - 1))].toFixed(1);
          return [
            'surprise',
            `at temperature ${temperature} ${nats(0.5)} nats (median), ${nats(0.95)} (95%) on ${statistics.surprise?.n} held-out decisions`,
          ] as const;
        }),
        ['self-test', 'passed'],
      ] as const;
      for (const [name, value] of lines) process.stdout.write(`${name.padEnd(12)}${value}\n`);
      process.stdout.write(`\nActions, ${describeActions(robot.action)}\n`);
    });
}

/** An encoder without a policy, as 'nina import' and 'nina pretrain' write it. */
async function inspectEncoder(folder: string, json: boolean): Promise<void> {
  const { encoderOf } = await import('../encoders/index.ts');
  const { cpu } = await import('../engine/index.ts');
  const { readEncoderFolder, requireEncoderSelfTest } = await import('../policy/index.ts');
  const read = readEncoderFolder(folder);
  await requireEncoderSelfTest(read, cpu);
  const { config, manifest, directory } = read;
  const { self_test: _, ...origin } = manifest;
  if (json) {
    process.stdout.write(`${toJson({ directory, ...origin, config, self_test: 'passed' })}\n`);
    return;
  }
  const lines = [
    ['encoder', `${config.name}, ${directory}`],
    ...Object.entries(origin.origin).map(([name, value]) => [name, `${value}`] as const),
    ['made by', `nina-vla ${origin.package_version}`],
    ['parameters', `${(origin.parameters / 1e6).toFixed(2)} M`],
    ...encoderOf(config).describe(config),
    ['self-test', 'passed'],
  ] as const;
  for (const [name, value] of lines) process.stdout.write(`${name.padEnd(12)}${value}\n`);
}
