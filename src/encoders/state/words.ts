/** Words of instructions and categories, and the closed vocabulary learned from the training data. */
import { NinaError } from '../../errors.ts';
import type { StateConfig, StateSettings } from './config.ts';

/** Lower-case runs of letters and digits: 'Pick up the alphabet_soup.' -> pick, up, the, alphabet, soup. */
export function tokenise(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** The encoder's configuration for scenes like these: its vocabulary and the largest sizes found. */
export function configFor(
  settings: StateSettings,
  scenes: Iterable<{ readonly instruction: string; readonly categories: readonly string[] }>,
): StateConfig {
  const words = new Set<string>();
  let max_words = 1;
  let max_entities = 1;
  for (const { instruction, categories } of scenes) {
    const spoken = tokenise(instruction);
    max_words = Math.max(max_words, spoken.length);
    max_entities = Math.max(max_entities, categories.length);
    for (const word of [...spoken, ...categories.flatMap(tokenise)]) words.add(word);
  }
  return { ...settings, words: [...words].sort(), max_words, max_entities };
}

/**
 * Indices into `config.words`.
 * @throws NinaError naming the first word that the training data did not contain: a policy cannot follow it.
 */
export function wordIds(config: StateConfig, text: string): number[] {
  return tokenise(text).map((word) => {
    const id = config.words.indexOf(word);
    if (id < 0)
      throw new NinaError(
        `The policy never saw the word "${word}" of "${text}" in training. Its words are: ${config.words.join(', ')}.`,
      );
    return id;
  });
}
