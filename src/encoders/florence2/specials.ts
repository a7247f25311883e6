/**
 * The tokens that Florence-2's processor adds to BART's tokenizer when it is loaded, and NinA's <Flow> behind them. The
 * tokenizer.json beside Microsoft's weights lacks them, though the embedding has their rows.
 */
import { parseTokenizer, sizeOf } from './words.ts';

/** In the order of their ids. The missing letter of 'desciption' is the processor's own. */
const FLORENCE: readonly string[] = [
  ...['<od>', '</od>', '<ocr>', '</ocr>'],
  ...Array.from({ length: 1000 }, (_, i) => `<loc_${i}>`),
  ...['<cap>', '</cap>', '<ncap>', '</ncap>', '<dcap>', '</dcap>', '<grounding>', '</grounding>', '<seg>', '</seg>'],
  ...['<sep>', '<region_cap>', '</region_cap>', '<region_to_desciption>', '</region_to_desciption>'],
  ...['<proposal>', '</proposal>', '<poly>', '</poly>', '<and>'],
];
const FLOW = '<Flow>';

/**
 * A tokenizer with Florence's 1,024 tokens and <Flow> on the ids behind its own; as it is where it knows <loc_0> already.
 * @param json what a tokenizer.json holds; BART's gets 50265 to 51288, and 51289 for <Flow>
 * @throws NinaError for what is no tokenizer.json of byte-level BPE.
 */
export function florenceTokenizer(json: string): string {
  const file = parseTokenizer(json);
  if (file.added_tokens.some(({ content }) => content === '<loc_0>')) return json;
  const size = sizeOf(file);
  const how = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const added = [...FLORENCE, FLOW].map((content, i) => ({ id: size + i, content, ...how }));
  return JSON.stringify({ ...file, added_tokens: [...file.added_tokens, ...added] });
}
