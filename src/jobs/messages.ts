/** What is said between who has jobs and a worker that does them, one at a time; plain data, in both directions. */
import type { Progress } from '../progress.ts';

export type Request =
  /** First, once: what all its jobs need. */
  | { readonly kind: 'prepare'; readonly data: unknown }
  | { readonly kind: 'run'; readonly job: unknown }
  /** The job under way should save what it has and end. */
  | { readonly kind: 'stop' };

export type Reply =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly result: unknown }
  /** `sentence`: of a NinaError; otherwise the text is a defect's stack. */
  | { readonly kind: 'failed'; readonly sentence: boolean; readonly text: string };
