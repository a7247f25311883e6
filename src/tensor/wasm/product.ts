/**
 * y = x W + init for some rows of x at once, float32: the product that reads every weight once.
 *
 * W is packed (`packPanels`) in panels of 8 outputs, [panel][k][8], so that lanes are outputs: an activation is splat
 * over the lanes, and all rows of a tile share the weights that were loaded. A tile is 1 to 5 rows high; a single row
 * takes several panels at once, because a processor needs some 8 independent sums to be busy.
 */
import type { Assembler, Code, Func, Local, Scope } from './assembler.ts';
import { advance, call, f32x4, fences, i32, loopWhile, repeatFenced, v128, when } from './instructions.ts';

/** Outputs of a panel. */
export const PANEL = 8;
/** Inputs are taken four at a time: rows of x are padded to a multiple with finite numbers, W with zeros. */
export const INPUT_UNIT = 4;
const TALLEST = 5;
/** How many panels a tile of a given height takes at once, at most. */
const PANELS_AT_ONCE = [0, 5, 2, 1, 1, 1];

export const roundUp = (n: number, unit: number): number => Math.ceil(n / unit) * unit;

/** Numbers that `packPanels` writes. */
export const packedSize = (inputs: number, outputs: number): number =>
  roundUp(inputs, INPUT_UNIT) * roundUp(outputs, PANEL);

/**
 * Writes W as panels. `at(k, n)` is the weight from input k to output n; both counts are the padded ones.
 */
export function packPanels(
  out: Float32Array,
  inputs: number,
  outputs: number,
  at: (k: number, n: number) => number,
): void {
  let to = 0;
  for (let n = 0; n < outputs; n += PANEL)
    for (let k = 0; k < inputs; k++) for (let j = 0; j < PANEL; j++) out[to++] = at(k, n + j);
}

/**
 * product(x, xStride, w, init, initStride, y, yStride, inputs / 4, panels, rows): strides in bytes between rows, 0 for one
 * row of init for all. y may be init; it must not be x.
 */
export function productKernel(m: Assembler): Func {
  const parameters = Array.from({ length: 9 }, () => 'i32' as const);
  const heights = Array.from({ length: TALLEST }, (_, i) =>
    m.func(`product${i + 1}`, parameters, (scope) => rowsOfTile(scope, i + 1)),
  );
  return m.func('product', [...parameters, 'i32'], (scope) => {
    const [x, xStride, w, init, initStride, y, yStride, steps, panels, rows] = scope.params as Local[] & { length: 10 };
    const [height, tiles] = scope.locals('i32', 2) as [Local, Local];
    const here = [x!, xStride!, w!, init!, initStride!, y!, yStride!, steps!, panels!].map((p) => p.get);
    const choose = heights.reduce<Code>(
      (otherwise, kernel, i) => when(i32.eq(height.get, i32.const(i + 1)), call(kernel, ...here), otherwise),
      [],
    );
    const next = (pointer: Local, stride: Local) => pointer.set(i32.add(pointer.get, i32.mul(stride.get, height.get)));
    // Tiles as even as can be: 16 rows are 4 x 4, not 5 + 5 + 5 + 1.
    return [
      tiles.set(i32.divU(i32.add(rows!.get, i32.const(TALLEST - 1)), i32.const(TALLEST))),
      loopWhile(tiles.get, [
        height.set(i32.divU(i32.sub(i32.add(rows!.get, tiles.get), i32.const(1)), tiles.get)),
        choose,
        next(x!, xStride!),
        next(init!, initStride!),
        next(y!, yStride!),
        rows!.set(i32.sub(rows!.get, height.get)),
        advance(tiles, -1),
      ]),
    ];
  });
}

/** All panels for a tile of `height` rows, as many at once as are left and allowed. */
function rowsOfTile(scope: Scope, height: number): Code {
  const [, , w, init, , y, , steps, panels] = scope.params as Local[];
  const most = PANELS_AT_ONCE[height]!;
  const pointers = { x: scope.locals('i32', height), w: scope.locals('i32', most), row: scope.local('i32') };
  const vectors = {
    sums: scope.locals('v128', 2 * most * height),
    splat: scope.local('v128'),
    w: scope.locals('v128', 2),
  };
  const counter = scope.local('i32');
  const at = (n: number): Code => [
    tile(scope, height, n, pointers, vectors, counter),
    advance(init!, 4 * PANEL * n),
    advance(y!, 4 * PANEL * n),
    w!.set(i32.add(w!.get, i32.mul(steps!.get, i32.const(4 * PANEL * INPUT_UNIT * n)))),
    advance(panels!, -n),
  ];
  // Most at once while that many are left; the rest by one smaller tile.
  const rest = Array.from({ length: most - 1 }, (_, i) => i + 1).reduce<Code>(
    (otherwise, n) => when(i32.eq(panels!.get, i32.const(n)), at(n), otherwise),
    [],
  );
  return [loopWhile(i32.geU(panels!.get, i32.const(most)), at(most)), rest];
}

function tile(
  { params }: Scope,
  height: number,
  panels: number,
  pointers: { x: Local[]; w: Local[]; row: Local },
  vectors: { sums: Local[]; splat: Local; w: Local[] },
  counter: Local,
): Code {
  const [x, xStride, w, init, initStride, y, yStride, steps] = params as Local[];
  const rows = Array.from({ length: height }, (_, r) => r);
  const columns = Array.from({ length: 2 * panels }, (_, c) => c);
  const sum = (r: number, c: number) => vectors.sums[r * 2 * panels + c]!;
  const eachRow = (start: Local, stride: Local, f: (r: number) => Code): Code => [
    pointers.row.set(start.get),
    rows.map((r) => [f(r), r + 1 < height ? pointers.row.set(i32.add(pointers.row.get, stride.get)) : []]),
  ];
  const accumulate = (r: number, c: number, factor: Code) =>
    sum(r, c).set(f32x4.add(sum(r, c).get, f32x4.mul(vectors.splat.get, factor)));
  const loadW = (c: number, step: number) => v128.load(pointers.w[c >> 1]!.get, 4 * PANEL * step + 16 * (c % 2));
  const fence = fences(counter);
  const step = (k: number): Code => {
    const splat = (r: number) => vectors.splat.set(v128.splat32(pointers.x[r]!.get, 4 * k));
    // One row uses a vector of weights once; several rows keep the two of their panel.
    if (height === 1)
      return [splat(0), columns.map((c) => [accumulate(0, c, loadW(c, k)), c % 4 === 3 ? fence() : []])];
    return Array.from({ length: panels }, (_, p) => [
      [0, 1].map((c) => vectors.w[c]!.set(loadW(2 * p + c, k))),
      rows.map((r) => [
        splat(r),
        [0, 1].map((c) => accumulate(r, 2 * p + c, vectors.w[c]!.get)),
        r % 2 === 1 || r + 1 === height ? fence() : [],
      ]),
    ]);
  };
  return [
    eachRow(init!, initStride!, (r) => columns.map((c) => sum(r, c).set(v128.load(pointers.row.get, 16 * c)))),
    eachRow(x!, xStride!, (r) => pointers.x[r]!.set(pointers.row.get)),
    Array.from({ length: panels }, (_, p) =>
      pointers.w[p]!.set(i32.add(w!.get, i32.mul(steps!.get, i32.const(4 * PANEL * INPUT_UNIT * p)))),
    ),
    repeatFenced(counter, steps!.get, [
      Array.from({ length: INPUT_UNIT }, (_, k) => step(k)),
      pointers.x.map((p) => advance(p, 4 * INPUT_UNIT)),
      pointers.w.slice(0, panels).map((p) => advance(p, 4 * PANEL * INPUT_UNIT)),
    ]),
    eachRow(y!, yStride!, (r) => columns.map((c) => v128.store(pointers.row.get, sum(r, c).get, 16 * c))),
  ];
}
