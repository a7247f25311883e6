/** `nina import`: weights of Florence-2, FLOWER or NinA, from whoever trained them, as a checkpoint. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { ImportSettings } from '../import/import.ts';
import { toJson } from '../json.ts';
import { integer } from './options.ts';

interface Options extends ImportSettings {
  readonly json: boolean;
}

export function registerImport(program: Command): void {
  program
    .command('import')
    .description("make a checkpoint of somebody else's weights: Florence-2, or a whole policy of NinA or FLOWER")
    .argument('<file>', '.safetensors, .pt or Lightning .ckpt')
    .requiredOption('--out <folder>', 'where to write it')
    .option('--tokenizer <file>', 'tokenizer.json of the weights (default: the one beside them)')
    .option('--flow-token <choice>', 'the embedding of <Flow>, which no file holds: mean, random:SEED or last-row')
    .option(
      '--heads <a,b,c,d>',
      "attention heads of the image tower's stages, of other sizes than base and large",
      four,
    )
    .option('--groups <a,b,c,d>', 'groups of its channel attention', four)
    .option('--window <n>', 'side of its attention windows', integer(1))
    .option('--encoder-heads <n>', 'attention heads of the text encoder', integer(1))
    .option('--decoder-heads <n>', 'attention heads of a NinA Transformer', integer(1))
    .option('--chunk-length <n>', 'actions of a chunk of a FLOWER decoder', integer(1))
    .option('--image-size <pixels>', 'side of the pictures that the tower sees', integer(8))
    .option('--max-text <n>', 'most tokens of a text', integer(3))
    .option('--prompt <template>', 'what the encoder reads, with {instruction} in it')
    .option('--json', 'print JSON', false)
    .action(async (file: string, { json, ...settings }: Options) => {
      const { importWeights } = await import('../import/import.ts');
      const { describeImport } = await import('../import/describe.ts');
      const imported = await importWeights(file, settings);
      process.stdout.write(json ? `${toJson(imported)}\n` : describeImport(imported));
    });
}

function four(text: string): number[] {
  const numbers = text.split(',').map(Number);
  if (numbers.length !== 4 || !numbers.every((n) => Number.isSafeInteger(n) && n >= 1))
    throw new InvalidArgumentError(`Wanted four integers of at least 1, such as 4,8,16,32; got '${text}'.`);
  return numbers;
}
