/**
 * The instructions that our kernels use, as expressions. Addresses are i32 byte offsets; loads and stores take a
 * constant offset that costs nothing.
 */
import { type Code, type Func, type Local, signed, unsigned } from './assembler.ts';

const VOID = 0x40;
/** Alignment is a hint; 2^0 is always true. */
const memory = (offset: number): Code => [0, unsigned(offset)];
const plain =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands, opcode];
const simd =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands, 0xfd, unsigned(opcode)];
const floatBytes = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  load: (address: Code, offset = 0): Code => [address, 0x28, memory(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x36, memory(offset)],
  add: plain(0x6a),
  sub: plain(0x6b),
  mul: plain(0x6c),
  divU: plain(0x6e),
  and: plain(0x71),
  eq: plain(0x46),
  ltU: plain(0x49),
  geU: plain(0x4f),
};

export const f32 = {
  const: (value: number): Code => [0x43, floatBytes(value)],
  load: (address: Code, offset = 0): Code => [address, 0x2a, memory(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0x38, memory(offset)],
  sqrt: plain(0x91),
  add: plain(0x92),
  sub: plain(0x93),
  mul: plain(0x94),
  div: plain(0x95),
  max: plain(0x97),
  fromI32: plain(0xb2),
};

export const v128 = {
  load: (address: Code, offset = 0): Code => [address, 0xfd, 0, memory(offset)],
  /** 8 bytes, each widened to 16 bits. */
  load8x8: (address: Code, offset = 0): Code => [address, 0xfd, 1, memory(offset)],
  /** 4 bytes repeated. */
  splat32: (address: Code, offset = 0): Code => [address, 0xfd, 9, memory(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [address, value, 0xfd, 11, memory(offset)],
  and: simd(0x4e),
  or: simd(0x50),
  xor: simd(0x51),
  /** The bits of a where the mask has ones, else of b. */
  select: (a: Code, b: Code, mask: Code): Code => [a, b, mask, 0xfd, unsigned(0x52)],
  /** i8x16.shuffle of 32-bit lanes: lanes 0..3 of a, 4..7 of b. */
  shuffle32: (a: Code, b: Code, lanes: readonly number[]): Code => [
    a,
    b,
    0xfd,
    13,
    lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  ],
};

export const f32x4 = {
  const: (value: number): Code => [0xfd, 12, [0, 0, 0, 0].map(() => floatBytes(value))],
  splat: simd(0x13),
  /** All ones where it holds. */
  eq: simd(0x41),
  lt: simd(0x43),
  gt: simd(0x44),
  lane: (x: Code, lane: number): Code => [x, 0xfd, 0x1f, lane],
  abs: simd(0xe0),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  /** NaN if either is. */
  max: simd(0xe9),
  /** One machine instruction where min and max are several: the first operand unless the second is smaller (larger). */
  pmin: simd(0xea),
  pmax: simd(0xeb),
  fromI32: simd(0xfa),
};

/** Two lanes of double precision. */
export const f64x2 = {
  const: (value: number): Code => [0xfd, 12, [0, 0].map(() => [...new Uint8Array(Float64Array.of(value).buffer)])],
  nearest: simd(0x94),
  add: simd(0xf0),
  sub: simd(0xf1),
  mul: simd(0xf2),
  /** The first two lanes of four floats. */
  fromF32: simd(0x5f),
  /** Two floats and two zeros; two integers and two zeros. */
  toF32: simd(0x5e),
  toI32: simd(0xfc),
};

export const i32x4 = {
  const: (...lanes: readonly number[]): Code => [
    0xfd,
    12,
    [0, 1, 2, 3].map((i) => [...new Uint8Array(Int32Array.of(lanes[i % lanes.length]).buffer)]),
  ],
  splat: simd(0x11),
  gt: simd(0x3b),
  add: simd(0xae),
  sub: simd(0xb1),
  shl: simd(0xab),
  /** Copies of the sign move in from the left. */
  shr: simd(0xac),
  /** Sums of two neighbouring products of 16-bit lanes. */
  dot16: simd(0xba),
};

/** Lanes of two vectors of i32, saturated to 16 bits. */
export const narrow16 = simd(0x85);

/** Zeroes `bytes` from `address`. */
export const clear = (address: Code, bytes: Code): Code => [address, i32.const(0), bytes, 0xfc, 11, 0];

export const call = ({ index, params, name }: Func, ...args: readonly Code[]): Code => {
  if (args.length !== params.length)
    throw new Error(`Internal: ${name} takes ${params.length} arguments; got ${args.length}.`);
  return [...args, 0x10, unsigned(index)];
};

/** The body, again and again `times` (at least once); `counter` is used up. */
export const repeat = (counter: Local, times: Code, body: Code): Code => [
  counter.set(times),
  0x03,
  VOID,
  body,
  counter.set(i32.sub(counter.get, i32.const(1))),
  counter.get,
  0x0d,
  0,
  0x0b,
];

/** `repeat` whose body may hold fences. */
export const repeatFenced = (counter: Local, times: Code, body: Code): Code => [
  0x02,
  VOID,
  repeat(counter, times, body),
  0x0b,
];

/**
 * Branches out of `repeatFenced` that are never taken, because no counter is negative: V8 moves every load of a block
 * before the arithmetic and then runs out of registers, but what may leave the loop here must have been computed here.
 * Each fence asks for another number, or the compiler would know the answer of the second from the first.
 */
export function fences(counter: Local): () => Code {
  let number = 0;
  return () => [i32.eq(counter.get, i32.const(--number)), 0x0d, 1];
}

/** The body as long as the condition holds before it. */
export const loopWhile = (condition: Code, body: Code): Code => [
  0x02,
  VOID,
  0x03,
  VOID,
  condition,
  0x45, // eqz
  0x0d,
  1,
  body,
  0x0c,
  0,
  0x0b,
  0x0b,
];

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  condition,
  0x04,
  VOID,
  then,
  0x05,
  otherwise,
  0x0b,
];

/** local += by */
export const advance = (local: Local, by: number): Code => local.set(i32.add(local.get, i32.const(by)));

/** v[0] + v[1] + v[2] + v[3], in every lane; `scratch` is overwritten. */
export const sumLanes = (scratch: Local, v: Code): Code => [
  scratch.set(v),
  scratch.set(f32x4.add(scratch.get, v128.shuffle32(scratch.get, scratch.get, [2, 3, 0, 1]))),
  f32x4.add(scratch.get, v128.shuffle32(scratch.get, scratch.get, [1, 0, 3, 2])),
];
