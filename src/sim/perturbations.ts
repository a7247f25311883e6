/**
 * Disturbed episodes: things that demonstrations never show, for asking whether a policy notices.
 *
 *   moved       the object to take jumps 5 to 10 cm aside when the hand is about to grasp it
 *   distractor  one bystander is of another category, known to the policy, but never seen in this scene
 *   offset      everything is seen 3 cm beside where it is: poses of entities, and pictures, whose cameras were knocked
 *
 * All that is random is a function of (seed, kind, suite, task, episode). Until it sets in, a disturbed episode is the
 * undisturbed one of the same number, to the bit (with a distractor: but for the bystander).
 */

export const PERTURBATIONS = ['moved', 'distractor', 'offset'] as const;
export type PerturbationKind = (typeof PERTURBATIONS)[number];
