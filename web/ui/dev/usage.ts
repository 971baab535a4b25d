// Made-up quotas: a calm project, and one that asks for more than it may.
import type { ConsumerGroup, ProjectUsage, ShardUsage, Usage } from "../src/usage/api";

const limits = {
  write_bytes: 1 << 30,
  write_requests: 10_000,
  read_bytes: 2 * 2 ** 30,
  read_requests: 10_000,
  stores: 200,
  shards: 400,
  groups: 30,
  views: 100,
};
const shardLimits = { write_bytes: 5 << 20, write_requests: 500, read_bytes: 10 << 20, read_requests: 100 };

function shard(store: string, number: number, share: number): ShardUsage {
  const rate = { bytes_per_second: share * shardLimits.write_bytes, requests_per_second: share * 200 };
  return {
    store,
    shard: number,
    write: { ...rate, share, refused: share > 1 ? 412 : 0 },
    read: { bytes_per_second: 91_000, requests_per_second: 2.1, share: 0.021, refused: 0 },
    is_hot: share > 1,
  };
}

export function usageOf(project: string | null): Usage {
  const calm = { refused: 0, barred_ms: 0 };
  const projects: ProjectUsage[] = [
    {
      project: "shop",
      limits: { ...limits, write_bytes: 20 << 20, write_requests: 2_000 },
      write: { bytes_per_second: 20.9 * 2 ** 20, requests_per_second: 1_730, refused: 5_204, barred_ms: 1_400 },
      read: { bytes_per_second: 6.1 * 2 ** 20, requests_per_second: 48, ...calm },
      stores: 3,
      shards: 10,
      shard_usage: [shard("orders", 0, 0.31), shard("orders", 5, 1.74), shard("payments", 0, 0.88)],
    },
    {
      project: "default",
      limits,
      write: { bytes_per_second: 1.2 * 2 ** 20, requests_per_second: 41, ...calm },
      read: { bytes_per_second: 0, requests_per_second: 0.4, ...calm },
      stores: 2,
      shards: 3,
      shard_usage: [shard("shop", 0, 0.12), shard("shop", 1, 0.1)],
    },
  ];
  const wanted = projects.filter((known) => project === null || known.project === project);
  const shown = wanted.map((known) => ({
    ...known,
    shard_usage: known.shard_usage.filter(({ is_hot }) => project !== null || is_hot),
  }));
  return { projects: shown, left_out: 0, shard_limits: shardLimits, pressure: 0.18 };
}

export function groupsOf(project: string | null): ConsumerGroup[] {
  if (project !== "shop") return [];
  const updated = new Date(Date.now() - 4_000).toISOString();
  const reading = (number: number, consumer: string, behind: number) => ({
    shard: number,
    consumer,
    checkpoint: 52_000 - behind,
    end: 52_000,
    behind,
    updated,
  });
  const shards = [reading(0, "worker-a", 2), reading(5, "worker-b", 1_904)];
  return [{ store: "orders", group: "billing", timeout_seconds: 60, in_order: true, behind: 1_906, shards }];
}
