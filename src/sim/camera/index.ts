/** What the policy sees: pictures of the scene, and moving ones for people. */
export { ANIMATION_MIME_TYPE, type Animation, createAnimation } from './animation.ts';
export { type Camera, createCamera } from './camera.ts';
export type { GeomDescription, GeomPoses, View } from './geom.ts';
export { encodePng } from './png.ts';
