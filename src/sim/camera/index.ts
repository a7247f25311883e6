/** What the policy sees: pictures of the scene, and moving ones for people. */
export { type Camera, createCamera } from './camera.ts';
export type { GeomDescription, GeomPoses, View } from './geom.ts';
