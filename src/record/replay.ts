/**
 * Replays a recorded episode: the file's own task, its first simulator state, its actions. A healthy recording goes
 * through the very same states, to the bit, and reaches the goal at its last step.
 */
import { type Recording, readRecording } from '../data/index.ts';
import { NinaError } from '../errors.ts';
import { parseBddl } from '../sim/bddl/index.ts';
import { SUITES, TabletopEnvironment, type Task } from '../sim/index.ts';

export interface Replay {
  file: string;
  demo: number;
  task: string;
  instruction: string;
  steps: number;
  /** The goal was reached again. */
  success: boolean;
  /** Largest difference of any number of any state before an action; 0 when the replay is exact. */
  max_abs_difference: number;
  /** First step whose state differs; null when none does. */
  first_difference: number | null;
}

/**
 * @throws NinaError when the file was not recorded by this simulator, is damaged, or holds numbers that are not finite,
 * and when the simulation leaves the finite numbers.
 */
export async function replay(file: string, demo: number): Promise<Replay> {
  const recording = await readRecording(file, demo);
  using environment = await TabletopEnvironment.open(recordedTask(recording, file));
  const { length, actions, states } = recording;
  const size = states.length / length;
  const A = actions.length / length;
  const own = environment.state().length;
  if (size !== own)
    throw new NinaError(
      `${file}: a state of demo_${demo} has ${size} numbers, this simulator's has ${own}, so it was recorded by another ` +
        'simulator or version and cannot be replayed.',
    );
  environment.restore(states.subarray(0, size));
  let largest = 0;
  let firstDifference: number | null = null;
  let success = false;
  for (let t = 0; t < length; t++) {
    const state = environment.state();
    for (let i = 0; i < size; i++) {
      const difference = Math.abs(state[i] - states[t * size + i]);
      // Recorded states are finite, so it is the simulation that is not.
      if (!Number.isFinite(difference))
        throw new NinaError(
          `${file}: replaying demo_${demo}, the simulation is at ${state[i]} in entry ${i} of step ${t}.`,
        );
      if (difference > 0) firstDifference ??= t;
      largest = Math.max(largest, difference);
    }
    ({ success } = environment.step(actions.subarray(t * A, (t + 1) * A)));
  }
  return {
    file,
    demo,
    task: recording.task,
    instruction: recording.instruction,
    steps: length,
    success,
    max_abs_difference: largest,
    first_difference: firstDifference,
  };
}

function recordedTask({ suite, task, instruction, bddl, length }: Recording, file: string): Task {
  const known = SUITES.find((name) => name === suite);
  if (!known)
    throw new NinaError(
      `${file} was recorded in suite '${suite}', which this simulator does not have. It has ${SUITES.join(', ')}.`,
    );
  return { suite: known, index: 0, name: task, instruction, bddl, problem: parseBddl(bddl, file), maxSteps: length };
}
