/** A registry: the members of one contract by name, and the schema of what a checkpoint stores of the chosen one. */
import * as z from 'zod';
import { NinaError } from './errors.ts';

interface Member {
  readonly name: string;
  /** Of objects whose `name` is the member's. */
  readonly schema: z.ZodType;
}

/**
 * @param kind how messages call a member: 'decoder'
 * @typeParam C what the stored configurations have in common
 */
export function registry<M extends Member, C extends { readonly name: string }>(kind: string, members: readonly M[]) {
  return {
    /** @throws NinaError naming those there are. */
    of({ name }: Pick<C, 'name'>): M {
      const found = members.find((member) => member.name === name);
      if (found) return found;
      throw new NinaError(`There is no ${kind} ${name}; there are ${members.map((member) => member.name).join(', ')}.`);
    },
    // Each is an object with that name, which the type of a contract's schema does not say.
    schema: z.discriminatedUnion(
      'name',
      members.map(({ schema }) => schema) as unknown as [z.ZodObject, ...z.ZodObject[]],
    ) as unknown as z.ZodType<C>,
  };
}
