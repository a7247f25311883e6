/**
 * y = x W + init for some rows of x at once: the product that reads every weight once.
 *
 * W is packed in panels of 8 outputs, [panel][step][8], so that lanes are outputs: what a step takes of x is splat over
 * the lanes, and all rows of a tile share the weights that were loaded. A tile is 1 to 5 rows high; a single row takes
 * several panels at once, because a processor needs some 8 independent sums to be busy. What a step multiplies and how
 * it adds up is the `Arithmetic`: one float32 (float32.ts), or two numbers of 16 and 8 bits (int8.ts).
 */
import type { Assembler, Code, Func, Local, Scope } from './assembler.ts';
import { advance, call, fences, i32, loopWhile, repeatFenced, v128, when } from './instructions.ts';

export interface Arithmetic {
  /** Of functions. */
  readonly name: string;
  /** Inputs that a step takes: 4 bytes of x. */
  readonly inputs: 1 | 2;
  /** Bytes of a panel's weights in one step. */
  readonly weightBytes: number;
  /** Bytes before the first step of a row of x, of a panel of W. */
  readonly xHeader: number;
  readonly wHeader: number;
  /** Half `half` (0, 1) of a panel's weights, `offset` bytes from `address`. */
  load(address: Code, offset: number, half: number): Code;
  /** sum + x w */
  accumulate(sum: Code, x: Code, w: Code): Code;
  /** What a sum starts as, and what becomes of it: x, w the addresses of headers. */
  start(init: Code): Code;
  finish(sum: Code, init: Code, x: Code, w: Code, half: number): Code;
}

/** Outputs of a panel. */
export const PANEL = 8;
/** Steps of one turn of the inner loop: rows of x hold a multiple, padded with finite numbers; W is padded with zeros. */
const STEPS = 4;
const TALLEST = 5;
/** How many panels a tile of a given height takes at once, at most. */
const PANELS_AT_ONCE = [0, 5, 2, 1, 1, 1];

export const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;

/** Inputs with padding. */
export const paddedInputs = ({ inputs }: Arithmetic, n: number): number => roundUp(n, STEPS * inputs);

/** Turns of the inner loop, for padded inputs. */
export const turnsOf = ({ inputs }: Arithmetic, padded: number): number => padded / inputs / STEPS;

/** Bytes of a packed panel. */
export const panelBytes = (a: Arithmetic, inputs: number): number =>
  a.wHeader + (a.weightBytes * paddedInputs(a, inputs)) / a.inputs;

/**
 * product(x, xStride, w, init, initStride, y, yStride, turns, panels, rows): strides in bytes between rows, 0 for one row
 * of init for all; y may be init; it must not be x.
 */
export function productKernel(m: Assembler, arithmetic: Arithmetic): Func {
  const parameters = Array.from({ length: 9 }, () => 'i32' as const);
  const heights = Array.from({ length: TALLEST }, (_, i) =>
    m.func(`${arithmetic.name}${i + 1}`, parameters, (scope) => rowsOfTile(scope, i + 1, arithmetic)),
  );
  return m.func(arithmetic.name, [...parameters, 'i32'], (scope) => {
    const [x, xStride, , init, initStride, y, yStride, , , rows] = scope.params as Local[];
    const [height, tiles] = scope.locals('i32', 2) as [Local, Local];
    const here = scope.params.slice(0, 9).map((p) => p.get);
    const choose = heights.reduce<Code>(
      (otherwise, kernel, i) => when(i32.eq(height.get, i32.const(i + 1)), call(kernel, ...here), otherwise),
      [],
    );
    const next = (pointer: Local, stride: Local) => pointer.set(i32.add(pointer.get, i32.mul(stride.get, height.get)));
    // Tiles as even as can be: 16 rows are 4 x 4, not 5 + 5 + 5 + 1.
    return [
      tiles.set(i32.divU(i32.add(rows.get, i32.const(TALLEST - 1)), i32.const(TALLEST))),
      loopWhile(tiles.get, [
        height.set(i32.divU(i32.sub(i32.add(rows.get, tiles.get), i32.const(1)), tiles.get)),
        choose,
        next(x, xStride),
        next(init, initStride),
        next(y, yStride),
        rows.set(i32.sub(rows.get, height.get)),
        advance(tiles, -1),
      ]),
    ];
  });
}

/** What a tile computes with, apart from its parameters. */
interface Registers {
  /** Of each row of x, of each panel of W, of a row of anything. */
  readonly x: readonly Local[];
  readonly w: readonly Local[];
  readonly row: Local;
  readonly counter: Local;
  readonly sums: readonly Local[];
  readonly splat: Local;
  readonly weights: readonly Local[];
}

/** All panels for a tile of `height` rows, as many at once as are left and allowed. */
function rowsOfTile(scope: Scope, height: number, arithmetic: Arithmetic): Code {
  const [, , w, init, , y, , turns, panels] = scope.params as Local[];
  const most = PANELS_AT_ONCE[height];
  const registers: Registers = {
    x: scope.locals('i32', height),
    w: scope.locals('i32', most),
    row: scope.local('i32'),
    counter: scope.local('i32'),
    sums: scope.locals('v128', 2 * most * height),
    splat: scope.local('v128'),
    weights: scope.locals('v128', 2),
  };
  const packed = (n: number) => panelOffset(arithmetic, turns, n);
  const at = (n: number): Code => [
    tile(scope, height, n, registers, arithmetic),
    advance(init, 4 * PANEL * n),
    advance(y, 4 * PANEL * n),
    w.set(i32.add(w.get, packed(n))),
    advance(panels, -n),
  ];
  // Most at once while that many are left; the rest by one smaller tile.
  const rest = Array.from({ length: most - 1 }, (_, i) => i + 1).reduce<Code>(
    (otherwise, n) => when(i32.eq(panels.get, i32.const(n)), at(n), otherwise),
    [],
  );
  return [loopWhile(i32.geU(panels.get, i32.const(most)), at(most)), rest];
}

/** Bytes of n panels. */
const panelOffset = ({ weightBytes, wHeader }: Arithmetic, turns: Local, n: number): Code =>
  i32.add(i32.mul(turns.get, i32.const(n * STEPS * weightBytes)), i32.const(n * wHeader));

function tile({ params }: Scope, height: number, panels: number, registers: Registers, arithmetic: Arithmetic): Code {
  const [x, xStride, w, init, initStride, y, yStride, turns] = params as Local[];
  const { row, counter, splat, weights } = registers;
  const { weightBytes, xHeader, wHeader } = arithmetic;
  const rows = Array.from({ length: height }, (_, r) => r);
  const columns = Array.from({ length: 2 * panels }, (_, c) => c);
  const sum = (r: number, c: number) => registers.sums[r * 2 * panels + c];
  const eachRow = (start: Local, stride: Local, f: (r: number) => Code): Code => [
    row.set(start.get),
    rows.map((r) => [f(r), r + 1 < height ? row.set(i32.add(row.get, stride.get)) : []]),
  ];
  const accumulate = (r: number, c: number, weight: Code) =>
    sum(r, c).set(arithmetic.accumulate(sum(r, c).get, splat.get, weight));
  const fence = fences(counter);
  const step = (k: number): Code => {
    const take = (r: number) => splat.set(v128.splat32(registers.x[r].get, 4 * k));
    const load = (c: number) => arithmetic.load(registers.w[c >> 1].get, weightBytes * k, c % 2);
    // One row uses a vector of weights once; several rows keep the two of their panel.
    if (height === 1)
      return [
        take(0),
        columns.map((c) => [accumulate(0, c, load(c)), c % 4 === 3 || c + 1 === columns.length ? fence() : []]),
      ];
    return Array.from({ length: panels }, (_, p) => [
      [0, 1].map((half) => weights[half].set(load(2 * p + half))),
      rows.map((r) => [
        take(r),
        [0, 1].map((half) => accumulate(r, 2 * p + half, weights[half].get)),
        r % 2 === 1 || r + 1 === height ? fence() : [],
      ]),
    ]);
  };
  const startOfPanels = (header: number) =>
    Array.from({ length: panels }, (_, p) =>
      registers.w[p].set(i32.add(i32.add(w.get, panelOffset(arithmetic, turns, p)), i32.const(header))),
    );
  const startOfRows = (header: number) =>
    eachRow(x, xStride, (r) => registers.x[r].set(i32.add(row.get, i32.const(header))));
  const initAt = (c: number) => v128.load(row.get, 16 * c);
  return [
    eachRow(init, initStride, (r) => columns.map((c) => sum(r, c).set(arithmetic.start(initAt(c))))),
    startOfRows(xHeader),
    startOfPanels(wHeader),
    repeatFenced(counter, turns.get, [
      Array.from({ length: STEPS }, (_, k) => step(k)),
      registers.x.map((p) => advance(p, 4 * STEPS)),
      registers.w.slice(0, panels).map((p) => advance(p, weightBytes * STEPS)),
    ]),
    xHeader + wHeader > 0 ? [startOfRows(0), startOfPanels(0)] : [],
    eachRow(init, initStride, (r) =>
      columns.map((c) =>
        sum(r, c).set(arithmetic.finish(sum(r, c).get, initAt(c), registers.x[r].get, registers.w[c >> 1].get, c % 2)),
      ),
    ),
    eachRow(y, yStride, (r) => columns.map((c) => v128.store(row.get, sum(r, c).get, 16 * c))),
  ];
}
