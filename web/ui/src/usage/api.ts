// What projects may use and do use, and how far the readers of their shards are, as the server tells it.
import { request } from "../lib/api";

export interface Rate {
  bytes_per_second: number;
  requests_per_second: number;
}
export interface ProjectFlow extends Rate {
  refused: number;
  barred_ms: number;
}
export interface ShardFlow extends Rate {
  /** Of what the shard is promised; above 1 it is over. */
  share: number;
  refused: number;
}
export interface FlowLimits {
  write_bytes: number;
  write_requests: number;
  read_bytes: number;
  read_requests: number;
}
export interface ProjectLimits extends FlowLimits {
  stores: number;
  shards: number;
  groups: number;
  views: number;
}
export interface ShardUsage {
  store: string;
  shard: number;
  write: ShardFlow;
  read: ShardFlow;
  is_hot: boolean;
}
export interface ProjectUsage {
  project: string;
  limits: ProjectLimits;
  write: ProjectFlow;
  read: ProjectFlow;
  stores: number;
  shards: number;
  /** Of hot shards alone, unless one project was asked for. */
  shard_usage: ShardUsage[];
}
export interface Usage {
  projects: ProjectUsage[];
  left_out: number;
  shard_limits: FlowLimits;
  /** 0 when the server has all its room, 1 when it takes nothing more. */
  pressure: number;
}

export interface GroupShard {
  shard: number;
  consumer: string;
  /** Offsets of batches; null before the first checkpoint. */
  checkpoint: number | null;
  end: number;
  behind: number;
  updated: string | null;
}
export interface ConsumerGroup {
  store: string;
  group: string;
  timeout_seconds: number;
  in_order: boolean;
  behind: number;
  shards: GroupShard[];
}

export function usage(project?: string, signal?: AbortSignal): Promise<Usage> {
  const only = project === undefined ? "" : `?project=${encodeURIComponent(project)}`;
  return request<Usage>(`/api/admin/usage${only}`, { signal });
}

export async function consumerGroups(project: string, signal?: AbortSignal): Promise<ConsumerGroup[]> {
  const path = `/api/groups?project=${encodeURIComponent(project)}`;
  return (await request<{ groups: ConsumerGroup[] }>(path, { signal })).groups;
}

export type Reshard = "split" | "merge";

/** In the middle of its keys, or with the shard that has the next ones. */
export async function reshard(project: string, { store, shard }: ShardUsage, action: Reshard): Promise<void> {
  const path = `/logstores/${encodeURIComponent(store)}/shards/${shard}?action=${action}`;
  const headers = { "x-log-apiversion": "0.6.0", "x-log-project": project };
  await request<unknown>(path, { method: "POST", headers });
}
