/** The video of an episode: what the policy sees, its views side by side; of one that sees no pictures, the front view. */
import type { Picture } from '../robot/index.ts';
import { createAnimation } from '../sim/camera/animation.ts';
import { CAMERAS, CONTROL_HZ, PICTURE_SIZE, type TabletopEnvironment } from '../sim/index.ts';

/** Every second control step is shown: 10 pictures a second, in real time. */
const STEPS_PER_FRAME = 2;

/** `shoot` before every control step and once at the end; `finish` gives an animated PNG. */
export function film(environment: TabletopEnvironment, seen: readonly string[]) {
  const views = CAMERAS.filter((name) => (seen.length > 0 ? seen.includes(name) : name === 'agentview'));
  const animation = createAnimation(
    views.length * PICTURE_SIZE.width,
    PICTURE_SIZE.height,
    CONTROL_HZ / STEPS_PER_FRAME,
  );
  let step = 0;
  return {
    shoot: () => {
      if (step++ % STEPS_PER_FRAME !== 0) return;
      const images = environment.images(views);
      animation.add(sideBySide(views.map((name) => images[name])));
    },
    finish: () => animation.finish(),
  };
}

/** Pictures of one size as one: [height, n width, 3]. */
export function sideBySide(pictures: readonly Picture[]): Uint8Array {
  const [{ width, height }] = pictures;
  const out = new Uint8Array(pictures.length * width * height * 3);
  const row = 3 * width;
  pictures.forEach(({ data }, i) => {
    for (let y = 0; y < height; y++) out.set(data.subarray(y * row, (y + 1) * row), (y * pictures.length + i) * row);
  });
  return out;
}
