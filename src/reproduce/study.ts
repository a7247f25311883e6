/**
 * A study is a YAML recipe that spans a table: suites x variants x seeds. It holds the sections of a training's recipe
 * beside its own, and a variant is a name for changes to those sections or to the evaluation. Every mistake is told with
 * its file and line, all at once.
 */
import { isMap, isNode, isPair, type ParsedNode } from 'yaml';
import * as z from 'zod';
import { UsageError } from '../errors.ts';
import { plainly, shorten } from '../json.ts';
import { evaluationSchema } from '../rollout/evaluate.ts';
import { SUITES } from '../sim/index.ts';
import { settingsOf } from '../train/recipe.ts';
import { type Setting, type Settings, split } from '../train/settings.ts';
import { openYaml, type YamlFile } from '../train/yaml.ts';

/** How a policy is rolled out; suite and seed come from the table. */
export const rolloutSchema = evaluationSchema.omit({ suite: true, seed: true, video: true });

/** A mapping that another schema checks, after it is merged with others. */
const settings = z.record(z.string(), z.unknown(), { error: 'wanted a mapping of settings' }).nullish();

/** The sections of a recipe. */
const sections = { encoder: settings, decoder: settings, training: settings, acting: settings };

/** Seeds of rollouts are sums of two. */
const seed = z
  .int()
  .min(0)
  .max(2 ** 52 - 1);

const isUnique = (values: readonly unknown[]) => new Set(values).size === values.length;

const demonstrationsSchema = z.strictObject({
  episodes: z.int().min(1).describe('attempts per task'),
  seed: z.int().min(0),
  task: z.int().min(0).optional().describe('index of one task; all unless given'),
});

const variantSchema = z.strictObject({
  label: z.string().describe('how tables name it'),
  group: z.string().optional().describe('what an ablation changes: variants of a group share a table'),
  ...sections,
  evaluation: settings,
  minutes: z.number().positive().optional().describe('of one training and its rollouts, until one has been measured'),
});

const NAME = /^[a-z0-9][a-z0-9.-]*$/;

const studySchema = z
  .strictObject({
    suites: z.array(z.enum(SUITES)).min(1).refine(isUnique, 'wanted every suite once'),
    seeds: z
      .array(seed)
      .min(1)
      .refine(isUnique, 'wanted every seed once')
      .describe('of training; rollouts of seed s start from placements of seed + s'),
    baseline: z.string().describe('variant that the others are compared with'),
    demonstrations: demonstrationsSchema,
    evaluation: z.looseObject({ seed }),
    ...sections,
    variants: z
      .record(z.string().regex(NAME, 'a name is made of a-z, 0-9, . and -'), variantSchema)
      .refine((variants) => Object.keys(variants).length > 0, 'wanted at least one variant'),
  })
  .superRefine(({ baseline, variants }, context) => {
    if (!(baseline in variants))
      context.addIssue({
        code: 'custom',
        path: ['baseline'],
        message: `is none of the variants (${Object.keys(variants).join(', ')}); got '${shorten(baseline)}'`,
      });
  });

export type DemonstrationSettings = z.output<typeof demonstrationsSchema>;

export interface Variant {
  readonly name: string;
  readonly label: string;
  readonly group?: string;
  readonly minutes?: number;
  /** The study's settings with the variant's changes, each with its place: of the training's recipe, of the rollouts. */
  readonly recipe: Settings;
  readonly evaluation: Settings;
}

export interface Study {
  readonly suites: readonly string[];
  readonly seeds: readonly number[];
  readonly baseline: string;
  readonly demonstrations: DemonstrationSettings;
  /** Of the rollouts of training seed 0. */
  readonly evaluationSeed: number;
  readonly variants: readonly Variant[];
}

/** Settings that the table gives; a recipe may not. */
const TABLE = {
  seed: "the study's 'seeds' give it",
  data: "the study's 'demonstrations' are recorded for it",
} as const;

/**
 * Reads a study. The settings of trainings and rollouts are checked where they are put together, by `cellsOf`.
 * @throws UsageError with one line per mistake; NinaError when the file cannot be read.
 */
export function readStudy(file: string): Study {
  const yaml = openYaml(file);
  const parsed = studySchema.safeParse(yaml.document.toJS() ?? {});
  if (!parsed.success) throw new UsageError(mistakes(file, yaml, parsed.error).join('\n'));
  const { suites, seeds, baseline, demonstrations, evaluation, variants } = parsed.data;
  const settingsAt = (...keys: string[]): [string, Setting][] => {
    const node = keys.length === 0 ? yaml.document.contents : yaml.document.getIn(keys, true);
    return isNode(node) ? [...settingsOf(yaml, node as ParsedNode)] : [];
  };
  const recipeAt = (...keys: string[]) => settingsAt(...keys).filter(([path]) => isOfRecipe(path));
  const recipe = recipeAt();
  const rollouts = settingsAt('evaluation').filter(([path]) => path !== 'seed');
  const merged = Object.entries(variants).map(([name, { label, group, minutes }]): Variant => {
    const own = new Map([...recipe, ...recipeAt('variants', name)]);
    for (const [path, { where }] of own) refuseTable(split(path)[1], where);
    const evaluation = new Map([...rollouts, ...settingsAt('variants', name, 'evaluation')]);
    return { name, label, group, minutes, recipe: own, evaluation };
  });
  return { suites, seeds, baseline, demonstrations, evaluationSeed: evaluation.seed, variants: merged };
}

const isOfRecipe = (path: string) => Object.hasOwn(sections, split(path)[0] || path);

function refuseTable(name: string, where: string): void {
  if (!Object.hasOwn(TABLE, name)) return;
  throw new UsageError(`${where}: '${name}' is not for a study: ${TABLE[name as keyof typeof TABLE]}.`);
}

function mistakes(file: string, yaml: YamlFile, error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const say = (path: readonly PropertyKey[], message: string) =>
      `${place(file, yaml, path)}: ${shorten(path.map(String).join('.')) || 'recipe'}: ${message}`;
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => say([...issue.path, key], 'unknown key.'));
    const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
    return [say(issue.path, plainly(message))];
  });
}

/** The line of the key at `path`, or of the innermost key around it that the file has. */
function place(file: string, { document, at }: YamlFile, path: readonly PropertyKey[]): string {
  for (let depth = path.length; depth > 0; depth--) {
    const parent = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && String(item.key) === path[depth - 1])
      : undefined;
    if (pair && isNode(pair.key) && pair.key.range) return at(pair.key.range[0]);
    const item = document.getIn(path.slice(0, depth), true);
    if (isNode(item) && item.range) return at(item.range[0]);
  }
  return `${file}:1`;
}
