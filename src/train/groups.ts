/** Parameter groups: which runs of the flat parameter array the optimizer treats alike. */

/** The numbers [start, end) of the flat array. */
export interface ParameterGroup {
  readonly start: number;
  readonly end: number;
  /** Whether weight decay pulls them to zero. */
  readonly decay: boolean;
  /** Whether they stay as they are. */
  readonly frozen: boolean;
  /** Factor of the learning rate. */
  readonly rate: number;
}

/**
 * Neighbouring parameters with the same rule, merged. Matrices decay; biases, norms (also stacked ones, which have the
 * rank of matrices) and the flow's diagonal `s` (whose pull to zero would make the map singular) do not.
 */
export function decayGroups(
  entries: readonly { path: string; shape: readonly number[]; offset: number; size: number }[],
): ParameterGroup[] {
  const groups: ParameterGroup[] = [];
  for (const { path, shape, offset, size } of entries) {
    const decay = shape.length >= 2 && !/(^|\.)(bias|s|norm\d*\..*)$/.test(path);
    const last = groups.at(-1);
    if (last?.decay === decay && last.end === offset) groups[groups.length - 1] = { ...last, end: offset + size };
    else groups.push({ start: offset, end: offset + size, decay, frozen: false, rate: 1 });
  }
  return groups;
}
