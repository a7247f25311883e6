/**
 * Every setting of a recipe with its values, default and meaning, read off the schemas: for the terminal
 * (`nina train --set help`) and for docs/settings.md, which `node scripts/settings.mjs` writes.
 */
import * as z from 'zod';
import { recipeSchema } from './config.ts';
import { DECODERS, ENCODERS } from './parts.ts';
import { sectionOf } from './settings.ts';

interface Row {
  readonly name: string;
  /** What it may be: 'integer >= 1', 'mlp | trans'. */
  readonly values: string;
  /** '-' when there is none. */
  readonly standard: string;
  readonly meaning: string;
}

interface Section {
  /** As a recipe begins it: 'training:', 'decoder: { name: nina }'; empty for what stands in no section. */
  readonly title: string;
  readonly rows: readonly Row[];
}

function sections(): Section[] {
  const { encoder: _, decoder: __, training, acting, ...plain } = recipeSchema().shape;
  const of = (title: string, section: z.ZodType): Section => ({ title, rows: rowsOf(sectionOf(section)!.shape) });
  return [
    { title: '', rows: rowsOf(plain) },
    ...Object.keys(ENCODERS).map((name) => of(`encoder: { name: ${name} }`, recipeSchema(name).shape.encoder)),
    ...Object.keys(DECODERS).map((name) =>
      of(`decoder: { name: ${name} }`, recipeSchema(undefined, name).shape.decoder),
    ),
    of('training:', training),
    of('acting:', acting),
  ];
}

const rowsOf = (shape: Readonly<Record<string, z.ZodType>>): Row[] =>
  Object.entries(shape).map(([name, schema]) => ({
    name,
    values: valuesOf(schema),
    standard: standardOf(schema),
    meaning: schema.description ?? '',
  }));

function standardOf(schema: z.ZodType): string {
  const standard = schema.safeParse(undefined).data;
  return Array.isArray(standard) ? `[${standard.join(', ')}]` : String(standard ?? '-');
}

/** What a schema lets pass, in a few words. */
function valuesOf(schema: z.ZodType): string {
  const { type, enum: words, ...range } = z.toJSONSchema(schema, { io: 'input' });
  if (words !== undefined) return words.join(' | ');
  if (type === 'boolean') return 'true | false';
  if (type === 'string') return 'text';
  if (type === 'array') return 'list';
  const bounds = [
    ['>=', range.minimum],
    ['>', range.exclusiveMinimum],
    ['<=', range.maximum],
    ['<', range.exclusiveMaximum],
  ] as const;
  // What every exact integer is within is no bound.
  const told = bounds.filter(([, at]) => typeof at === 'number' && Math.abs(at) < Number.MAX_SAFE_INTEGER);
  return `${type} ${told.map(([sign, at]) => `${sign} ${at}`).join(', ')}`.trimEnd();
}

/** One setting a line, in columns. */
export function describeSettings(): string {
  const all = sections();
  const width = (column: 'name' | 'values' | 'standard') =>
    Math.max(...all.flatMap(({ rows }) => rows.map((row) => row[column].length))) + 2;
  const [name, values, standard] = [width('name'), width('values'), width('standard')];
  const line = (row: Row) =>
    `${row.name.padEnd(name)}${row.values.padEnd(values)}${row.standard.padEnd(standard)}${row.meaning}`.trimEnd();
  const blocks = all.map(({ title, rows }) => [...(title === '' ? [] : [title]), ...rows.map(line)].join('\n'));
  return `${[...blocks, NAMING].join('\n\n')}\n`;
}

const NAMING = `\
\`--set decoder.n_layers=8\` names a setting by its section, \`--set n_layers=8\` by its name alone; those that the paper
names have flags of their own, \`--n_layers 8\`. A name that several sections have, such as \`dropout\`, means the
decoder's before training's, acting's and the encoder's. \`--decoder flower\` is \`--set decoder.name=flower\`.`;

/** docs/settings.md. */
export function settingsPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const table = ({ title, rows }: Section) =>
    [
      `## ${title === '' ? 'At the top' : `\`${title}\``}`,
      '',
      '| setting | values | default | meaning |',
      '|---|---|---|---|',
      ...rows.map((row) => `| \`${row.name}\` | ${cell(row.values)} | ${row.standard} | ${cell(row.meaning)} |`),
    ].join('\n');
  return `${[HEAD, ...sections().map(table)].join('\n\n')}\n`;
}

const HEAD = `\
<!-- Written by scripts/settings.mjs from the schemas: change those. -->

# Settings

All that \`nina train\` and the studies of \`nina reproduce\` can be told. A recipe is a YAML file of four settings at the
top and four sections; what it leaves out has its default, and \`name\` chooses which encoder or decoder's settings a
section takes.

\`\`\`yaml
data: demos
seed: 0
encoder: { name: state, dim: 64 }
decoder:
  name: nina
  backbone: mlp
  n_layers: 28
training:
  batch_size: 80
  max_steps: 6000
acting: { temperature: 0 }
\`\`\`

The command line overrides a recipe.
${NAMING}

A section is a mapping, never a name alone: \`decoder: { name: flower }\`. How wide the tokens are, how many numbers an
action and the robot's state have, and the words that instructions use, are no settings: the encoder, the robot and
the demonstrations determine them.`;
