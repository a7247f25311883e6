/**
 * What the rules of operations write into: buffers, and steps that call kernels on them. A kernel is one function of the
 * module, called with addresses and sizes by every step that needs it.
 */
import {
  type Assembler,
  assembler,
  type Code,
  type Func,
  type Local,
  type Scope,
} from '../../tensor/wasm/assembler.ts';
import { advance, call, i32, repeat } from '../../tensor/wasm/instructions.ts';
import type { Buffer, Step } from './memory.ts';
import { type View, whole } from './view.ts';

/** Loops around a kernel call: each turn of an axis moves every pointer by so many numbers. */
export type Walk = (axes: readonly Axis[], starts: readonly View[], body: (pointers: readonly Code[]) => Code) => Code;

export interface Axis {
  readonly turns: number;
  readonly by: readonly number[];
}

export interface Lowering {
  /** The kernel of a name, written when it is first wanted. */
  kernel(name: string, write: (m: Assembler, name: string) => Func): Func;
  /** Room for numbers; `constant`: computed once, when the program is compiled. */
  buffer(numbers: number, constant: boolean): Buffer;
  /** What `make` makes of a view (a copy, panels of weights), made once for all who want it. */
  once(what: string, view: View, make: () => View): View;
  /** A row of n zeros, the same for all. */
  zeros(n: number): View;
  /**
   * Adds code to what runs once (`constant`) or every time; it is written when addresses are known.
   * @param touches every buffer it reads or writes
   */
  step(constant: boolean, touches: readonly Buffer[], code: (walk: Walk) => Code): void;
}

/** A module in the making. */
export interface Draft extends Lowering {
  readonly prepare: readonly Step[];
  readonly run: readonly Step[];
  /** The module, once every buffer has its address: exports `memory`, `prepare` and `run`. */
  bytes(pages: number): Uint8Array<ArrayBuffer>;
}

/** Engines limit the size of one function (7.6 MB), and compile several at once. */
const STEPS_OF_A_FUNCTION = 1000;

export function draft(): Draft {
  const m = assembler();
  const kernels = new Map<string, Func>();
  const made = new Map<Buffer, Map<string, View>>();
  type Written = Step & { readonly code: (walk: Walk) => Code };
  const [prepare, run]: [Written[], Written[]] = [[], []];
  const none = { numbers: 0, constant: true, fill: (out: Float32Array) => out.fill(0), address: Number.NaN };
  return {
    prepare,
    run,
    kernel(name, write) {
      const known = kernels.get(name) ?? write(m, name);
      kernels.set(name, known);
      return known;
    },
    buffer: (numbers, constant) => ({ numbers, constant, address: Number.NaN }),
    once(what, { buffer, offset, shape, strides }, make) {
      const known = made.get(buffer) ?? new Map<string, View>();
      made.set(buffer, known);
      const name = `${what} ${offset}: ${shape}; ${strides}`;
      const view = known.get(name) ?? make();
      known.set(name, view);
      return view;
    },
    zeros(n) {
      none.numbers = Math.max(none.numbers, n);
      return whole(none, [n]);
    },
    step: (constant, touches, code) => (constant ? prepare : run).push({ touches, code }),
    bytes(pages) {
      for (const [name, steps] of Object.entries({ prepare, run })) {
        const parts = Array.from({ length: Math.ceil(steps.length / STEPS_OF_A_FUNCTION) }, (_, i) =>
          m.func(`${name}${i}`, [], (scope) => {
            const walk = walker(scope);
            return steps.slice(i * STEPS_OF_A_FUNCTION, (i + 1) * STEPS_OF_A_FUNCTION).map(({ code }) => code(walk));
          }),
        );
        m.func(name, [], () => parts.map((part) => call(part)), { exported: true });
      }
      return m.bytes(pages);
    },
  };
}

/** The address of a view's first number. */
export const at = ({ buffer, offset }: View): Code => i32.const(buffer.address + 4 * offset);

function walker(scope: Scope): Walk {
  const [counters, pointers]: [Local[], Local[]] = [[], []];
  const local = (pool: Local[], i: number): Local => {
    pool[i] ??= scope.local('i32');
    return pool[i];
  };
  return (axes, starts, body) => {
    if (axes.length === 0) return body(starts.map(at));
    const moving = starts.map((_, i) => local(pointers, i));
    const loop = (depth: number): Code => {
      const axis = axes[depth];
      if (!axis) return body(moving.map((p) => p.get));
      const inner = axes[depth + 1];
      const by = axis.by.map((step, i) => step - (inner ? inner.turns * inner.by[i] : 0));
      return repeat(local(counters, depth), i32.const(axis.turns), [
        loop(depth + 1),
        moving.map((p, i) => (by[i] === 0 ? [] : advance(p, 4 * by[i]))),
      ]);
    };
    return [starts.map((start, i) => moving[i].set(at(start))), loop(0)];
  };
}
