/** Pages and pictures of an evaluation. */
export { renderReport } from './page.ts';
export { writeReport } from './write.ts';
