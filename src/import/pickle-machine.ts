/**
 * The machine that a pickle is a program for: a stack, a memo and a reading position, and what may be built (ALLOWED). It
 * calls nothing that a pickle names.
 */
import { NinaError } from '../errors.ts';

/** A class or function that a pickle names. */
export class Global {
  constructor(readonly name: string) {}
}

/** An object of a type that is not read. */
export class Skipped {
  constructor(readonly type: string) {}
}

/** A piece of memory that tensors share: an entry of the archive. */
export class Storage {
  constructor(
    /** 'Float', of torch.FloatStorage */
    readonly type: string,
    readonly key: string,
    /** Numbers in it. */
    readonly count: number,
  ) {}
}

/** A view of a storage; number [i, j] is at offset + i * strides[0] + j * strides[1]. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Lists and tuples are arrays, dictionaries of any type maps, sets arrays. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Global
  | Skipped
  | Storage
  | TensorView;

/** What of a pickle may be built, by its name; each checks what it is given. */
const ALLOWED: Readonly<Record<string, (args: readonly PickleValue[], machine: Machine) => PickleValue>> = {
  'collections.OrderedDict': ([pairs = []], machine) => dictionary(pairs, machine),
  // Its factory of missing values is never called.
  'collections.defaultdict': ([, pairs = []], machine) => dictionary(pairs, machine),
  'builtins.dict': ([pairs = []], machine) => dictionary(pairs, machine),
  'builtins.list': ([items = []], machine) => copied(items, machine),
  'builtins.long': ([x = 0], machine) => {
    if (typeof x === 'number' || typeof x === 'bigint') return x;
    throw machine.wrong('an integer is made of something else');
  },
  'torch._utils._rebuild_tensor_v2': ([storage, offset, shape, strides], machine) => {
    if (storage instanceof Storage && isSize(offset) && isSizes(shape) && isSizes(strides))
      if (shape.length === strides.length) return new TensorView(storage, offset, shape, strides);
    throw machine.wrong('a tensor is not made of a storage, an offset, a shape and strides');
  },
};

const STORAGE = /^torch\.(\w+)Storage$/;
/** The modules of Python 2, as protocol 2 names them. */
const modern = (name: string) => name.replace(/^__builtin__\./, 'builtins.');

/** Bytes of one integer; a longer one is no count, size or key. */
const LONGEST_INTEGER = 256;

const MARK = Symbol('mark');

/** The stack, the memo and the reading position; every access is checked. */
export class Machine {
  private p = 0;
  private readonly stack: (PickleValue | typeof MARK)[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private built = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly where: string,
  ) {}

  wrong(what: string): NinaError {
    return new NinaError(
      `${this.where} is not a pickle that can be read: ${what} (at byte ${this.p} of ${this.bytes.length}). Copy the file again, or save the state dict alone with torch.save.`,
    );
  }

  take(count: number): Uint8Array {
    if (!(count >= 0 && this.p + count <= this.bytes.length)) throw this.wrong('it ends too early');
    this.p += count;
    return this.bytes.subarray(this.p - count, this.p);
  }
  byte(): number {
    return this.take(1)[0];
  }
  view(count: number): DataView {
    const { buffer, byteOffset } = this.take(count);
    return new DataView(buffer, byteOffset, count);
  }
  /** A length of 8 bytes. */
  length(): number {
    return Number(this.view(8).getBigUint64(0, true));
  }
  text(count: number): string {
    return new TextDecoder().decode(this.take(count));
  }
  line(): string {
    const end = this.bytes.indexOf(10, this.p);
    if (end < 0) throw this.wrong('a line has no end');
    const text = this.text(end - this.p);
    this.p++;
    return text;
  }
  /** A little-endian integer in two's complement. */
  integer(count: number): number | bigint {
    if (count > LONGEST_INTEGER) throw this.wrong(`an integer of ${count} bytes`);
    const digits = [...this.take(count)].reverse().map((byte) => byte.toString(16).padStart(2, '0'));
    const x = count === 0 ? 0n : BigInt.asIntN(8 * count, BigInt(`0x${digits.join('')}`));
    return Number.isSafeInteger(Number(x)) ? Number(x) : x;
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }
  mark(): void {
    this.stack.push(MARK);
  }
  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined || value === MARK) throw this.wrong('its stack is empty');
    return value;
  }
  /** What lies on top, and stays. */
  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }
  /** What lies above the last mark, which goes. */
  popMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(MARK);
    if (at < 0) throw this.wrong('a mark is missing');
    const values = this.stack.splice(at) as PickleValue[];
    return values.slice(1);
  }
  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  keep(name: number, value: PickleValue): void {
    this.memo.set(name, value);
  }
  /** Under the next free number. */
  memoize(): void {
    this.keep(this.memo.size, this.top());
  }
  recall(name: number): void {
    const value = this.memo.get(name);
    if (value === undefined) throw this.wrong(`it refers to ${name}, which it has not kept`);
    this.push(value);
  }

  /** To be asked before values are copied: a small pickle must not become a large tree. */
  spend(count: number): void {
    this.built += count;
    if (this.built > this.bytes.length) throw this.wrong('it copies itself without end');
  }
  append(items: readonly PickleValue[]): void {
    const list = this.top();
    // What becomes of a skipped object's parts is of no interest.
    if (list instanceof Skipped) return;
    if (!Array.isArray(list)) throw this.wrong('it appends to what is no list');
    for (const item of items) list.push(item);
  }
  setItems(items: readonly PickleValue[]): void {
    const target = this.top();
    if (target instanceof Skipped) return;
    if (!(target instanceof Map) || items.length % 2 !== 0) throw this.wrong('it sets items of what is no dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  global(module: string, name: string): void {
    this.push(new Global(modern(`${module}.${name}`)));
  }
  /** What a call or a construction would give. */
  build(callee: PickleValue, args: PickleValue): PickleValue {
    if (!(callee instanceof Global)) return new Skipped(callee instanceof Skipped ? callee.type : 'something');
    if (!Object.hasOwn(ALLOWED, callee.name)) return new Skipped(callee.name);
    if (!Array.isArray(args)) throw this.wrong(`${callee.name} has no arguments`);
    return ALLOWED[callee.name](args, this);
  }
  /** A storage, the one thing that torch keeps outside its pickle: ('storage', type, key, device, count). */
  persistent(id: PickleValue): Storage {
    if (Array.isArray(id)) {
      const [kind, type, key, , count] = id;
      const storage = type instanceof Global ? STORAGE.exec(type.name) : null;
      if (kind === 'storage' && storage && typeof key === 'string' && isSize(count))
        return new Storage(storage[1], key, count);
    }
    throw this.wrong('it refers to something outside that is no storage');
  }
}

function dictionary(pairs: PickleValue, machine: Machine): Map<PickleValue, PickleValue> {
  if (pairs instanceof Map) {
    machine.spend(pairs.size);
    return new Map(pairs);
  }
  const map = new Map<PickleValue, PickleValue>();
  for (const pair of copied(pairs, machine)) {
    if (!Array.isArray(pair) || pair.length !== 2) throw machine.wrong('a dictionary is not made of pairs');
    map.set(pair[0], pair[1]);
  }
  return map;
}

function copied(items: PickleValue, machine: Machine): PickleValue[] {
  if (!Array.isArray(items)) throw machine.wrong('a list is made of something else');
  machine.spend(items.length);
  return [...items];
}

const isSize = (x: PickleValue | undefined): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;
const isSizes = (x: PickleValue | undefined): x is number[] => Array.isArray(x) && x.every(isSize);
