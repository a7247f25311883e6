/** A number that is not finite would come back as one from a policy, and look like a fault of the weights. */
import { NinaError } from '../errors.ts';

/**
 * @param where says more of number i
 * @throws NinaError naming the first number that is not finite in float32.
 */
export function requireFinite(name: string, values: ArrayLike<number>, where: (i: number) => string = () => ''): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(Math.fround(values[i])))
      throw new NinaError(
        `${name}[${i}] is ${values[i]}${where(i)}: every number that a policy is given must be finite in float32.`,
      );
}
