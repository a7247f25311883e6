/** What the policy sees. Moving pictures for people, which need a compressor, are in `animation.ts`. */
export { type Camera, createCamera } from './camera.ts';
export type { GeomDescription, GeomPoses, Light, Look, View } from './geom.ts';
export { DAYLIGHT, towards } from './vertices.ts';
