/**
 * Operations number by number: a chain of them is one kernel, so that what is between never goes to memory. Chains of
 * equal form share the kernel, as each block of a network has the same.
 */
import { type Attributes, type OpName, scalarValue, size, type Tensor } from '../../tensor/tensor.ts';
import type { Assembler, Code, Func, Local } from '../../tensor/wasm/assembler.ts';
import { cos4, exponential4, log4, type Registers, registers, sin4 } from '../../tensor/wasm/elementary.ts';
import { advance, call, f32x4, i32, repeat, v128 } from '../../tensor/wasm/instructions.ts';
import { erf4, exp4, scratch, tanh4 } from '../../tensor/wasm/math.ts';
import type { Lowering } from './lowering.ts';
import { contiguous } from './moves.ts';
import { broadcast, collapse, rowMajor, type View, whole } from './view.ts';

type Rule<K extends OpName> = (r: Registers, args: readonly Code[], attrs: Attributes[K]) => Code;

const one = f32x4.const(1);
/** 1 where it holds, else 0. */
const asNumber = (mask: Code): Code => v128.and(mask, one);

/** Four lanes of each operation. */
const RULES = {
  neg: (_, [x]) => f32x4.neg(x),
  exp: (r, [x]) => exponential4(r, x),
  log: (r, [x]) => log4(r, x),
  sqrt: (_, [x]) => f32x4.sqrt(x),
  abs: (_, [x]) => f32x4.abs(x),
  sign: (_, [x]) => f32x4.sub(asNumber(f32x4.gt(x, f32x4.const(0))), asNumber(f32x4.lt(x, f32x4.const(0)))),
  tanh: (r, [x]) => tanh4(r, x),
  sin: (r, [x]) => sin4(r, x),
  cos: (r, [x]) => cos4(r, x),
  sigmoid: (r, [x]) => f32x4.div(one, f32x4.add(one, exp4(r, f32x4.neg(x)))),
  erf: (r, [x]) => erf4(r, x),
  reciprocal: (_, [x]) => f32x4.div(one, x),
  gelu: (_, [x, phi]) => f32x4.mul(x, phi),
  clamp: (_, [x], { lo, hi }) => f32x4.pmin(f32x4.pmax(x, f32x4.const(lo)), f32x4.const(hi)),
  equal: (_, [a, b]) => asNumber(f32x4.eq(a, b)),
  add: (_, [a, b]) => f32x4.add(a, b),
  sub: (_, [a, b]) => f32x4.sub(a, b),
  mul: (_, [a, b]) => f32x4.mul(a, b),
  div: (_, [a, b]) => f32x4.div(a, b),
} satisfies { [K in OpName]?: Rule<K> };

export type PointwiseOp = keyof typeof RULES;

export const isPointwise = ({ op }: Tensor): boolean => op in RULES;

/** Where an argument in a chain comes from: an earlier member, an operand in memory, or a number in the code. */
type Source = { readonly member: number } | { readonly operand: number } | { readonly value: number };

/** @param members of a chain, arguments before users; the last is the result. */
export function pointwise(g: Lowering, members: readonly Tensor[], viewOf: (t: Tensor) => View): View {
  const { shape } = members[members.length - 1];
  const operands: Tensor[] = [];
  const sourceOf = (t: Tensor): Source => {
    const [member, value] = [members.indexOf(t), scalarValue(t)];
    if (member >= 0) return { member };
    if (value !== undefined) return { value };
    if (!operands.includes(t)) operands.push(t);
    return { operand: operands.indexOf(t) };
  };
  const sources = members.map((t) => t.args.map(sourceOf));

  let views = operands.map(viewOf);
  const walked = () => collapse(shape, [rowMajor(shape), ...views.map((v) => broadcast(v, shape).strides)]);
  const crooked = walked().strides.map((s) => s[s.length - 1] > 1);
  views = views.map((v, i) => (crooked[i + 1] ? contiguous(g, v) : v));
  const { shapes, strides } = walked();
  const inner = shapes.length - 1;
  /** Whether an operand is one number for a whole row. */
  const single = strides.slice(1).map((s) => s[inner] === 0);

  const called = (s: Source) =>
    'member' in s ? `m${s.member}` : 'operand' in s ? `x${s.operand}` : Object.is(s.value, -0) ? '-0' : `${s.value}`;
  const name = `${single.map((s) => (s ? 'one' : 'row')).join()}: ${members
    .map(({ op, attrs }, i) => `${op}(${[...sources[i].map(called), ...Object.values(attrs)].join()})`)
    .join()}`;
  const kernel = g.kernel(name, (m) => chainKernel(m, members, sources, single));
  const buffer = g.buffer(
    size(shape),
    views.every((v) => v.buffer.constant),
  );
  const all = [whole(buffer, shape), ...views];
  const outer = shapes.slice(0, -2).map((turns, i) => ({ turns, by: strides.map((s) => s[i]) }));
  const row = (i: number) => i32.const(4 * (strides[i][inner - 1] ?? 0));
  g.step(
    buffer.constant,
    all.map((v) => v.buffer),
    (walk) =>
      walk(outer, all, (pointers) =>
        call(
          kernel,
          i32.const(shapes[inner - 1] ?? 1),
          i32.const(Math.ceil(shapes[inner] / 4)),
          ...pointers.flatMap((p, i) => [p, row(i)]),
        ),
      ),
  );
  return all[0];
}

/**
 * chain(rows, vectors, y, yRow, then each operand's x, xRow): rows are xRow bytes apart. The last vector of a row of y may
 * reach into the next, which is written after it.
 */
function chainKernel(
  m: Assembler,
  members: readonly Tensor[],
  sources: readonly (readonly Source[])[],
  single: readonly boolean[],
): Func {
  return m.func('chain', Array(4 + 2 * single.length).fill('i32'), (scope) => {
    const [rows, vectors, ...pairs] = scope.params as [Local, Local, ...Local[]];
    const bases = pairs.filter((_, i) => i % 2 === 0);
    const [turn, left] = scope.locals('i32', 2) as [Local, Local];
    const moving = [false, ...single].map((s) => (s ? undefined : scope.local('i32')));
    const loaded = single.map(() => scope.local('v128'));
    const results = members.map(() => scope.local('v128'));
    const all = registers(scope, scratch(scope));
    const value = (s: Source): Code =>
      'member' in s ? results[s.member].get : 'operand' in s ? loaded[s.operand].get : f32x4.const(s.value);
    return repeat(turn, rows.get, [
      bases.map((base, i) => moving[i]?.set(base.get) ?? loaded[i - 1].set(v128.splat32(base.get))),
      repeat(left, vectors.get, [
        loaded.map((local, i) => {
          const from = moving[i + 1];
          return from ? local.set(v128.load(from.get)) : [];
        }),
        members.map((t, i) =>
          results[i].set((RULES[t.op as PointwiseOp] as Rule<OpName>)(all, sources[i].map(value), t.attrs)),
        ),
        v128.store(moving[0]!.get, results[results.length - 1].get),
        moving.map((p) => (p ? advance(p, 16) : [])),
      ]),
      bases.map((base, i) => base.set(i32.add(base.get, pairs[2 * i + 1].get))),
    ]);
  });
}
