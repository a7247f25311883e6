/** The operations of pickles, by their code: what each does to the machine of pickle-machine.ts. */
import type { Machine, PickleValue } from './pickle-machine.ts';

type Operation = (m: Machine) => void;

const named: Readonly<Record<string, Operation>> = {
  // Frames and versions say nothing about the data.
  '\x80': (m) => {
    const version = m.byte();
    if (version > 5) throw m.wrong(`it is of protocol ${version}, and 5 is the newest that is known`);
  },
  '\x95': (m) => void m.length(),

  '(': (m) => m.mark(),
  '0': (m) => void m.pop(),
  '1': (m) => void m.popMark(),
  '2': (m) => m.push(m.top()),

  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),
  K: (m) => m.push(m.byte()),
  M: (m) => m.push(m.view(2).getUint16(0, true)),
  J: (m) => m.push(m.view(4).getInt32(0, true)),
  '\x8a': (m) => m.push(m.integer(m.byte())),
  '\x8b': (m) => m.push(m.integer(m.view(4).getUint32(0, true))),
  I: (m) => m.push(integerLine(m, m.line())),
  L: (m) => m.push(integerLine(m, m.line().replace(/L$/, ''))),
  G: (m) => m.push(m.view(8).getFloat64(0, false)),
  F: (m) => m.push(Number(m.line())),

  X: (m) => m.push(m.text(m.view(4).getUint32(0, true))),
  '\x8c': (m) => m.push(m.text(m.byte())),
  '\x8d': (m) => m.push(m.text(m.length())),
  V: (m) => m.push(m.line()),
  // Of Python 2, where texts were bytes.
  T: (m) => m.push(m.text(m.view(4).getUint32(0, true))),
  U: (m) => m.push(m.text(m.byte())),
  S: (m) => m.push(m.line().replace(/^(['"])(.*)\1$/, '$2')),
  B: (m) => m.push(m.take(m.view(4).getUint32(0, true))),
  C: (m) => m.push(m.take(m.byte())),
  '\x8e': (m) => m.push(m.take(m.length())),
  '\x96': (m) => m.push(m.take(m.length())),

  ']': (m) => m.push([]),
  l: (m) => m.push(m.popMark()),
  a: (m) => {
    const item = m.pop();
    m.append([item]);
  },
  e: (m) => {
    const items = m.popMark();
    m.append(items);
  },
  ')': (m) => m.push([]),
  t: (m) => m.push(m.popMark()),
  '\x85': (m) => m.push(m.popMany(1)),
  '\x86': (m) => m.push(m.popMany(2)),
  '\x87': (m) => m.push(m.popMany(3)),
  '\x8f': (m) => m.push([]),
  '\x90': (m) => {
    const items = m.popMark();
    m.append(items);
  },
  '\x91': (m) => m.push(m.popMark()),
  '}': (m) => m.push(new Map()),
  d: (m) => {
    const items = m.popMark();
    m.push(new Map());
    m.setItems(items);
  },
  s: (m) => {
    const items = m.popMany(2);
    m.setItems(items);
  },
  u: (m) => {
    const items = m.popMark();
    m.setItems(items);
  },

  p: (m) => m.keep(memoName(m, m.line()), m.top()),
  q: (m) => m.keep(m.byte(), m.top()),
  r: (m) => m.keep(m.view(4).getUint32(0, true), m.top()),
  '\x94': (m) => m.memoize(),
  g: (m) => m.recall(memoName(m, m.line())),
  h: (m) => m.recall(m.byte()),
  j: (m) => m.recall(m.view(4).getUint32(0, true)),

  c: (m) => {
    const module = m.line();
    m.global(module, m.line());
  },
  '\x93': (m) => {
    const [module, name] = m.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw m.wrong('a class has no name');
    m.global(module, name);
  },
  // A call and the two ways to construct an object: alike here, where nothing is called.
  R: reduce,
  '\x81': reduce,
  '\x92': (m) => {
    const [callee, args] = m.popMany(3);
    m.push(m.build(callee, args));
  },
  // An object's state, which beside a dictionary's items is nothing that we read.
  b: (m) => void m.pop(),
  Q: (m) => m.push(m.persistent(m.pop())),
};

function reduce(m: Machine): void {
  const [callee, args] = m.popMany(2);
  m.push(m.build(callee, args));
}

function integerLine(m: Machine, line: string): PickleValue {
  if (line === '00' || line === '01') return line === '01';
  if (!/^[+-]?\d{1,300}$/.test(line)) throw m.wrong('a line is no integer');
  const x = Number(line);
  return Number.isSafeInteger(x) ? x : BigInt(line);
}

function memoName(m: Machine, line: string): number {
  if (!/^\d{1,10}$/.test(line)) throw m.wrong('what it keeps has no number');
  return Number(line);
}

/** By the byte that names it. */
export const operations: readonly (Operation | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => named[String.fromCharCode(code)],
);
