/** What may be asked instead of a task's own instruction; see `instruct.ts`, which loads the simulator. */
export const INSTRUCTIONS = ['other', 'paraphrase'] as const;
export type InstructionKind = (typeof INSTRUCTIONS)[number];
