/** Mutations of JSON that know its structure, and can write what JSON.stringify cannot: equal keys, 1e400, NaN. */
import type { Rng } from '../../src/random.ts';
import { anyBytes, type Mutate } from './bytes.ts';

type Node =
  | { kind: 'object'; entries: [string, Node][] }
  | { kind: 'array'; items: Node[] }
  | { kind: 'raw'; text: string };

function nodeOf(value: unknown, depth = 0): Node {
  // What an earlier change nested beyond reason is cut.
  if (depth > 40) return { kind: 'raw', text: '0' };
  if (Array.isArray(value)) return { kind: 'array', items: value.map((item) => nodeOf(item, depth + 1)) };
  if (typeof value === 'object' && value !== null)
    return { kind: 'object', entries: Object.entries(value).map(([name, part]) => [name, nodeOf(part, depth + 1)]) };
  return { kind: 'raw', text: JSON.stringify(value) };
}

function print(node: Node): string {
  if (node.kind === 'raw') return node.text;
  if (node.kind === 'array') return `[${node.items.map(print).join(',')}]`;
  return `{${node.entries.map(([name, part]) => `${JSON.stringify(name)}:${print(part)}`).join(',')}}`;
}

/** Every node with what replaces it in its parent; arrays of numbers count as few of them. */
function places(node: Node, replace: (by: Node) => void, out: Place[] = []): Place[] {
  out.push({ node, replace });
  if (node.kind === 'array')
    node.items.forEach((item, i) => {
      if (i < 4 || item.kind !== 'raw') places(item, (by) => node.items.splice(i, 1, by), out);
    });
  if (node.kind === 'object')
    node.entries.forEach((entry) => {
      places(
        entry[1],
        (by) => {
          entry[1] = by;
        },
        out,
      );
    });
  return out;
}

interface Place {
  node: Node;
  replace(by: Node): void;
}

export const TOKENS: readonly string[] = [
  ...['0', '-0', '1', '-1', '0.5', '1e-400', '1e308', '1e400', '-1e999', 'NaN', 'Infinity', '-Infinity'],
  ...['2147483648', '4294967296', '9007199254740992', '9007199254740993', '1e20', '123456789012345678901234567890'],
  ...['null', 'true', 'false', '""', '"0"', '"x"', '"__proto__"', '"\\u0000"', '"\\ud800"', '"../../x"', '[]', '{}'],
  ...['[null]', '[[]]', '{"__proto__":1}', '{"a":1,"a":2}', 'nil', '01', '+1', '.5', "'a'", '"', '\\', ''],
];
const KEYS = ['__proto__', 'constructor', 'toString', 'length', '', 'x', '0', '\ud800'];

const deep = (r: Rng): Node => {
  const n = r.pick([50, 150, 20_000]);
  const [open, close] = r.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ]) as [string, string];
  return { kind: 'raw', text: `${open.repeat(n)}1${r.int(4) === 0 ? '' : close.repeat(n)}` };
};

function change(root: { node: Node }, r: Rng): void {
  const all = places(root.node, (by) => {
    root.node = by;
  });
  const { node, replace } = r.pick(all);
  const action = r.int(10);
  if (action <= 2) replace({ kind: 'raw', text: r.pick(TOKENS) });
  else if (action === 3) replace(structuredClone(r.pick(all).node));
  else if (action === 4 && r.int(3) === 0) replace(deep(r));
  else if (node.kind === 'array' && node.items.length > 0) {
    const i = r.int(node.items.length);
    if (action <= 5) node.items.splice(i, 1);
    else if (action <= 7) node.items.splice(i, 0, structuredClone(node.items[i]));
    else if (action === 8) node.items.reverse();
    else node.items.splice(i, 1, { kind: 'raw', text: r.pick(TOKENS) });
  } else if (node.kind === 'object' && node.entries.length > 0) {
    const i = r.int(node.entries.length);
    if (action <= 5) node.entries.splice(i, 1);
    else if (action === 6) node.entries.push(structuredClone(node.entries[i]));
    else if (action === 7) node.entries[i][0] = r.pick(KEYS);
    else if (action === 8) node.entries.push([r.pick(KEYS), { kind: 'raw', text: r.pick(TOKENS) }]);
    else node.entries[i] = [node.entries[i][0], { kind: 'raw', text: r.pick(TOKENS) }];
  } else if (node.kind === 'raw' && /^-?\d/.test(node.text))
    replace({ kind: 'raw', text: r.pick([`-${node.text}`, `${node.text}e30`, `${node.text}0`, `"${node.text}"`]) });
  else replace({ kind: 'raw', text: r.pick(TOKENS) });
}

/** A valid JSON text changed in one place; text that is no longer JSON is changed as bytes. */
export const anyJson: Mutate = (bytes, r) => {
  if (r.int(5) === 0) return r.int(2) === 0 ? oddText(bytes, r) : anyBytes(bytes, r);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return anyBytes(bytes, r);
  }
  const root = { node: nodeOf(value) };
  change(root, r);
  return Buffer.from(print(root.node));
};

/** What editors and other systems do to text. */
export const oddText: Mutate = (bytes, r) => {
  const at = r.int(bytes.length + 1);
  const some = r.pick([
    ...['\0', '\r\n', '\n', '\ufeff', '\u2028', '// a\n', ',', '\x1b[31m'].map((text) => Buffer.from(text)),
    Buffer.from([0xff, 0xfe]),
    Buffer.from([0xed, 0xa0, 0x80]), // half of a surrogate pair in UTF-8
    Buffer.from([0xc3]),
  ]);
  if (r.int(8) === 0) return Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
  if (r.int(8) === 0) return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
  return Buffer.concat([bytes.subarray(0, at), some, bytes.subarray(at)]);
};

/** JSON lines: lines dropped, doubled, swapped, cut, or changed as JSON. */
export const anyLines: Mutate = (bytes, r) => {
  const lines = bytes.toString('latin1').split('\n');
  const i = r.int(lines.length);
  const action = r.int(10);
  if (action === 0) lines.splice(i, 1);
  else if (action === 1) lines.splice(r.int(lines.length + 1), 0, lines[i]);
  else if (action === 2) lines.push(...lines.splice(i, 1));
  else if (action === 3) lines[i] = lines[i].slice(0, r.int(lines[i].length + 1));
  else if (action === 4) return anyBytes(bytes, r);
  else lines[i] = anyJson(Buffer.from(lines[i], 'latin1'), r).toString('latin1');
  return Buffer.from(lines.join('\n'), 'latin1');
};
