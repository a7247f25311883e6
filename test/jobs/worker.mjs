// A worker for jobs.test.ts: squares numbers, and misbehaves on request.
import { NinaError } from '../../dist/errors.js';
import { serveJobs } from '../../dist/jobs/index.js';

serveJobs(async ({ offset }) => {
  if (offset === undefined) throw new NinaError('No offset was given.');
  return async (job, { signal, progress }) => {
    if (job === 'sentence') throw new NinaError('This job cannot be done.');
    if (job === 'defect') return undefined.x;
    if (job === 'die') process.exit(3);
    if (job === 'kill') process.kill(process.pid, 'SIGKILL');
    if (job === 'pid') return process.pid;
    if (job === 'long') {
      progress({ stage: 'waiting', done: 0, total: 1, note: '' });
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return 'saved';
    }
    if (job === 'hang') await new Promise((resolve) => setTimeout(resolve, 60_000));
    // Early jobs take longer, so that results arrive out of order.
    await new Promise((resolve) => setTimeout(resolve, 40 - job));
    return job * job + offset;
  };
});
