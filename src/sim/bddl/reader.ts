/**
 * The S-expression layer of BDDL: text -> nested lists of words, each with the place it was read from.
 *
 * A word is a run of characters other than white space, parentheses and `;`. A comment runs from `;` to the end of
 * its line. There are no strings and no quoting.
 */
import { NinaError } from '../../errors.ts';

/** 1-based line and column (UTF-16 units), and the name of the source for messages. */
export interface Place {
  file: string;
  line: number;
  column: number;
}
export interface Word {
  kind: 'word';
  text: string;
  place: Place;
}
export interface List {
  kind: 'list';
  items: Node[];
  place: Place;
}
export type Node = Word | List;

/** An error sentence headed by file, line and column. */
export function syntaxError(place: Place, message: string): NinaError {
  return new NinaError(`${place.file}, line ${place.line}, column ${place.column}: ${message}`);
}

/**
 * Reads the single list a BDDL source consists of.
 * @throws NinaError at the offending parenthesis or word.
 */
export function readList(source: string, file: string): List {
  const open: List[] = [];
  let root: List | undefined;
  let line = 1;
  let lineStart = 0;
  for (const match of source.matchAll(/\n|;[^\n]*|[()]|[^\s();]+/g)) {
    const text = match[0];
    const place = { file, line, column: match.index - lineStart + 1 };
    if (text === '\n') {
      line++;
      lineStart = match.index + 1;
    } else if (text.startsWith(';')) {
      // A comment carries nothing.
    } else if (root && open.length === 0) {
      throw syntaxError(place, `expected the end of the file after the definition; got '${text}'. Remove it.`);
    } else if (text === '(') {
      const list: List = { kind: 'list', items: [], place };
      open.at(-1)?.items.push(list);
      root ??= list;
      open.push(list);
    } else if (open.length === 0) {
      throw syntaxError(place, `expected '(define ...)'; got '${text}'.`);
    } else if (text === ')') {
      open.pop();
    } else {
      open.at(-1)!.items.push({ kind: 'word', text, place });
    }
  }
  if (!root) throw syntaxError({ file, line: 1, column: 1 }, `expected '(define ...)'; the file is empty.`);
  const unclosed = open.at(-1);
  if (unclosed)
    throw syntaxError(unclosed.place, `this '(' is never closed: the file ends on line ${line}. Add the missing ')'.`);
  return root;
}

/** The node, which must be a list; `wanted` is the noun of the message. */
export function list(node: Node, wanted: string): List {
  if (node.kind === 'list') return node;
  throw syntaxError(node.place, `expected ${wanted}; got ${describe(node)}.`);
}

/** The node, which must be a word. */
export function word(node: Node, wanted: string): Word {
  if (node.kind === 'word') return node;
  throw syntaxError(node.place, `expected ${wanted}; got ${describe(node)}.`);
}

/** The word a list begins with. */
export function head(section: List, wanted: string): string {
  const first = section.items[0];
  if (first) return word(first, wanted).text;
  throw syntaxError(section.place, `expected ${wanted}; got the empty list ().`);
}

/** The one word after the head: `(:domain robosuite)`. */
export function onlyWord(section: List): Word {
  const [, item, extra] = section.items;
  if (!item || extra)
    throw syntaxError(
      section.place,
      `expected one name in (${head(section, 'a name')} ...); got ${section.items.length - 1}.`,
    );
  return word(item, 'a name');
}

export function describe(node: Node | undefined): string {
  if (!node) return 'nothing';
  return node.kind === 'word' ? `'${node.text}'` : 'a list';
}
