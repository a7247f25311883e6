/**
 * A small assembler for WebAssembly with 128-bit SIMD (core specification 2.0): expressions are functions that return
 * code (instructions.ts), a function body is a list of them, a module is bytes. Nothing here needs Node.
 */

/** Bytes, in any nesting: an expression leaves its value on the stack, a statement leaves nothing. */
export type Code = number | readonly Code[];
export type ValueType = 'i32' | 'f32' | 'v128';

/** A parameter or local of a function. */
export interface Local {
  readonly get: Code;
  set(value: Code): Code;
}

/** A function that returns nothing. */
export interface Func {
  readonly index: number;
  readonly name: string;
  readonly params: readonly ValueType[];
}

export interface Scope {
  readonly params: readonly Local[];
  local(type: ValueType): Local;
  locals(type: ValueType, n: number): Local[];
}

export interface Assembler {
  /** Declares a function; it can call those declared before it. */
  func(
    name: string,
    params: readonly ValueType[],
    body: (scope: Scope) => Code,
    options?: { exported?: boolean },
  ): Func;
  /**
   * The module: its functions, and a memory of `pages` x 64 KiB, zeroed, exported as 'memory'; or, 'shared', whatever
   * memory its threads have in common, imported as 'shared' 'memory'.
   */
  bytes(memory: number | 'shared'): Uint8Array<ArrayBuffer>;
}

const TYPE: Record<ValueType, number> = { i32: 0x7f, f32: 0x7d, v128: 0x7b };
const SECTION = { types: 1, imports: 2, functions: 3, memory: 5, exports: 7, code: 10 } as const;
/** A memory's limits follow: from 1 page to all that 32 bits address, in threads. */
const SHARED_MEMORY = [2, 3, unsigned(1), unsigned(65536)];
const MAGIC_AND_VERSION = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export function assembler(): Assembler {
  const types: Code[] = [];
  const exports: Code[] = [];
  const bodies: Code[] = [];
  return {
    func(name, params, body, { exported = false } = {}) {
      const index = types.length;
      const locals: ValueType[] = [];
      const at = (i: number): Local => ({ get: [0x20, unsigned(i)], set: (value) => [value, 0x21, unsigned(i)] });
      const local = (type: ValueType) => at(params.length + locals.push(type) - 1);
      const code = body({
        params: params.map((_, i) => at(i)),
        local,
        locals: (type, n) => Array.from({ length: n }, () => local(type)),
      });
      types.push([0x60, vector(params.map((p) => TYPE[p])), 0]);
      bodies.push(sized([vector(locals.map((type) => [1, TYPE[type]])), code, 0x0b]));
      if (exported) exports.push([text(name), 0, unsigned(index)]);
      return { index, name, params };
    },
    bytes(memory) {
      const shared = memory === 'shared';
      return Uint8Array.from(
        flatten([
          MAGIC_AND_VERSION,
          [SECTION.types, sized(vector(types))],
          shared ? [SECTION.imports, sized(vector([[text('shared'), text('memory'), SHARED_MEMORY]]))] : [],
          [SECTION.functions, sized(vector(types.map((_, i) => unsigned(i))))],
          shared ? [] : [SECTION.memory, sized([1, 1, unsigned(memory), unsigned(memory)])],
          [SECTION.exports, sized(vector([...(shared ? [] : [[text('memory'), 2, 0]]), ...exports]))],
          [SECTION.code, sized(vector(bodies))],
        ]),
      );
    },
  };
}

/** LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  for (let v = value; ; v = Math.floor(v / 128)) {
    out.push(v < 128 ? v : (v % 128) | 128);
    if (v < 128) return out;
  }
}

/** Signed LEB128 of 32 bits. */
export function signed(value: number): number[] {
  const out: number[] = [];
  for (let v = value; ; v >>= 7) {
    const byte = v & 127;
    const last = (v >> 6 === 0 && byte < 64) || (v >> 6 === -1 && byte >= 64);
    out.push(last ? byte : byte | 128);
    if (last) return out;
  }
}

function flatten(code: Code, out: number[] = []): number[] {
  if (typeof code === 'number') out.push(code);
  else
    for (const part of code)
      if (typeof part === 'number') out.push(part);
      else flatten(part, out);
  return out;
}

const vector = (items: readonly Code[]): Code => [unsigned(items.length), ...items];

const text = (value: string): Code => vector([...new TextEncoder().encode(value)]);

function sized(code: Code): Code {
  const bytes = flatten(code);
  return [unsigned(bytes.length), bytes];
}
