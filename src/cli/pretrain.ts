/** `nina pretrain`: an encoder of pictures and words learns on rendered scenes where named things are. */
import type { Command } from 'commander';
import { toJson } from '../json.ts';
import { pretrainSchema } from '../pretrain/config.ts';
import type { GroundingReport } from '../pretrain/index.ts';
import { interruptible } from './interrupt.ts';
import { defaultWorkers, workers } from './options.ts';
import { createReporter } from './progress.ts';

type Options = Record<string, string | undefined> & {
  readonly out: string;
  readonly resume: boolean;
  readonly workers: number;
  readonly json: boolean;
};

export function registerPretrain(program: Command): void {
  const command = program
    .command('pretrain')
    .description('teach florence2-nano on rendered scenes where named things are')
    .requiredOption('--out <folder>', 'folder of the pretraining; the encoder is written into its folder encoder')
    .option('--resume', 'go on with a pretraining that was stopped, as it was begun', false);
  for (const [name, field] of Object.entries(pretrainSchema.shape))
    command.option(`--${name} <x>`, `${field.description} (default: ${field.def.defaultValue})`);
  command
    .option(
      '--workers <n>',
      'threads, at most 2 have work, beside one that renders; the result does not depend on them',
      workers,
      defaultWorkers,
    )
    .option('--json', 'print JSON', false)
    .action(async (options: Options) => {
      const { out, resume, workers, json } = options;
      const { beginPretraining, pretrain, resumePretraining } = await import('../pretrain/index.ts');
      const given = Object.fromEntries(
        Object.keys(pretrainSchema.shape).flatMap((name) => {
          const text = options[name];
          if (text === undefined) return [];
          // What is no number stays as it was written, for the sentence that refuses it.
          return [[name, text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)]];
        }),
      );
      const what = resume ? resumePretraining(out, given) : beginPretraining(out, given);
      const { encoder, report } = await interruptible((signal) =>
        pretrain(out, what, { signal, report: createReporter(), workers }),
      );
      process.stdout.write(json ? `${toJson({ encoder, ...report })}\n` : describe(report, encoder));
    });
}

function describe({ scenes, views, readout }: GroundingReport, encoder: string): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const lines = [`On ${scenes} held-out scenes:`];
  for (const [view, { cell_accuracy, absent_accuracy, pixels, cm }] of Object.entries(views))
    lines.push(
      `  ${view}: the right cell for ${percent(cell_accuracy)} of ${cm.n} things in view (not in view: ${percent(absent_accuracy)}); ` +
        `${pixels.median.toFixed(2)} px, ${cm.median.toFixed(2)} cm (median; mean ${cm.mean.toFixed(2)} cm), ` +
        `${percent(cm.within_1cm)} within 1 cm, ${percent(cm.within_2cm)} within 2 cm`,
    );
  for (const [phrasing, { mean }] of Object.entries(readout))
    lines.push(
      `  read from the mean token, phrasings ${phrasing.replace('_', ' ')}: what to take ${mean.target_cm.median.toFixed(2)} cm, ` +
        `where to put it ${mean.place_cm.median.toFixed(2)} cm, the hand ${mean.hand_cm.median.toFixed(2)} cm (medians)`,
    );
  return `${lines.join('\n')}\nEncoder: ${encoder}\n`;
}
