/** How time is cut: LIBERO's control rate over physics steps that keep contacts stable. */

/** Actions per second. */
export const CONTROL_HZ = 20;
/** Length of one physics step, seconds. */
export const TIMESTEP_S = 0.005;
/** Physics steps per action. */
export const SUBSTEPS = Math.round(1 / (CONTROL_HZ * TIMESTEP_S));
