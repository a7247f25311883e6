/** Demonstrations of robots that are not LIBERO's, in LIBERO's layout as another program would write it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import h5wasm from 'h5wasm/node';
import { fold, key, rng } from '../../src/random.ts';
import { actionSize, type Robot, stateSize } from '../../src/robot/index.ts';

const CATEGORIES = ['can', 'basket'];

/** Every joint moves from where it is to a place of its own, in straight lines; no target is twice the same. */
export async function writeJointDemonstrations(
  file: string,
  robot: Robot | string | undefined,
  { demos = 6, steps = 12, sizes }: { demos?: number; steps?: number; sizes: Robot },
): Promise<void> {
  await h5wasm.ready;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const root = new h5wasm.File(file, 'w');
  const data = root.create_group('data');
  data.create_attribute('bddl_file_name', 'joints/reach.bddl');
  data.create_attribute('problem_info', JSON.stringify({ language_instruction: 'put the can in the basket' }));
  if (robot !== undefined)
    data.create_attribute('nina_robot', typeof robot === 'string' ? robot : JSON.stringify(robot));
  const { dimensions } = sizes.action;
  const [A, P] = [actionSize(sizes), stateSize(sizes)];
  for (let demo = 0; demo < demos; demo++) {
    const r = rng(fold(key(1), 'joints', demo));
    const within = ({ low, high }: { low: number; high: number }) => r.uniform(low, high);
    const [from, to] = [dimensions.map(within), dimensions.map(within)];
    const at = (t: number) => from.map((start, d) => start + (to[d] - start) * (t / steps));
    const rows = Array.from({ length: steps }, (_, t) => t);
    const group = data.create_group(`demo_${demo}`);
    const actions = Float64Array.from(rows.flatMap((t) => at(t + 1)));
    group.create_dataset({ name: 'actions', data: actions, shape: [steps, A] });
    const obs = group.create_group('obs');
    const state = Float64Array.from(rows.flatMap((t) => at(t)));
    obs.create_dataset({ name: 'state', data: state, shape: [steps, P] });
    const place = () => [r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.3), 0.02, 1, 0, 0, 0, 0];
    const scene = CATEGORIES.flatMap(place);
    const poses = Float32Array.from(rows.flatMap(() => scene));
    const entities = obs.create_dataset({ name: 'entities', data: poses, shape: [steps, CATEGORIES.length, 8] });
    entities.create_attribute('names', CATEGORIES, [CATEGORIES.length]);
    entities.create_attribute('categories', CATEGORIES, [CATEGORIES.length]);
  }
  root.close();
}
