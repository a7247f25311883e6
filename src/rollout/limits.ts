/** Limits that the command line states and the schemas hold; apart from both, because neither may load the other. */

/** Episodes of one task: more than anyone waits for, and few enough to keep a list of. */
export const MAX_EPISODES = 1_000_000;
