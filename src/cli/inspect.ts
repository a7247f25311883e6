/** `nina inspect`: what a checkpoint is, how it must be driven, and whether its self-test passes here. */
import type { Command } from 'commander';

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('describe a checkpoint, run its self-test and print its action specification')
    .argument('<checkpoint>', "a checkpoint, or a training run's folder (its newest checkpoint)")
    .option('--json', 'print JSON', false)
    .action(async (checkpoint: string, { json }: { json: boolean }) => {
      const { decoderOf } = await import('../decoders/index.ts');
      const { encoderOf } = await import('../encoders/index.ts');
      const { loadPolicy } = await import('../policy/index.ts');
      const { describeActions } = await import('../robot/index.ts');
      using policy = await loadPolicy(checkpoint);
      const { config, manifest, directory, statistics } = policy;
      const { self_test: _, ...origin } = manifest;
      if (json) {
        process.stdout.write(
          `${JSON.stringify({ directory, ...origin, config, backend: policy.backend, surprise: statistics.surprise, self_test: 'passed' })}\n`,
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
