/** Worker thread: some shards of every update. */
import { serveJobs } from '../jobs/index.ts';
import { openShards, type ShardSetup, type ShardTask } from './shard.ts';

serveJobs<{ setup: ShardSetup; shards: readonly number[] }, ShardTask, number>(async ({ setup, shards }) => {
  const thread = await openShards(setup, shards);
  return (task) => thread.run(task);
});
