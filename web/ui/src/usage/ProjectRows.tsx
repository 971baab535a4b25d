// A project in the table: its use against its limits, and behind the arrow its shards and their readers.
import { useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { formatCount, formatDuration } from "../lib/format";
import { Icon } from "../lib/icons";
import { messageOf } from "../lib/useTask";
import { type ConsumerGroup, type ProjectFlow, type ProjectUsage, type Reshard, reshard, type ShardUsage } from "./api";
import { bytesLimit, bytesRate, type Direction, refusedText, requestsLimit, requestsRate, shareOf } from "./flow";
import { GroupsTable } from "./GroupsTable";
import { Meter } from "./Meter";
import { ShardsTable } from "./ShardsTable";

export const COLUMNS = 6;

/** What is known of a project that was opened. */
export interface Detail {
  usage: ProjectUsage | undefined;
  groups: ConsumerGroup[];
  error: string | undefined;
}

function Flow({ of, direction }: { of: ProjectUsage; direction: Direction }) {
  const flow: ProjectFlow = of[direction];
  const bytes = bytesLimit(of.limits, direction);
  const requests = requestsLimit(of.limits, direction);
  const name = direction === "write" ? "Writes" : "Reads";
  return (
    <div class="flow">
      <Meter
        name={`${name}, bytes`}
        share={shareOf(flow.bytes_per_second, bytes)}
        figure={bytesRate(flow.bytes_per_second)}
        limit={bytesRate(bytes)}
      />
      <Meter
        name={`${name}, requests`}
        share={shareOf(flow.requests_per_second, requests)}
        figure={requestsRate(flow.requests_per_second)}
        limit={requestsRate(requests)}
      />
      {flow.barred_ms > 0 && (
        <span class="state state-firing">barred for {formatDuration(flow.barred_ms / 1000)}</span>
      )}
    </div>
  );
}

function Count({ name, used, limit }: { name: string; used: number; limit: number }) {
  return <Meter name={name} share={shareOf(used, limit)} figure={formatCount(used)} limit={formatCount(limit)} />;
}

/** What happens to a shard's rows is what somebody wants to know who is about to do it. */
function question({ store, shard }: ShardUsage, action: Reshard): string {
  const kept = "Rows that are there stay readable until they are past their time.";
  if (action === "split") return `Split shard ${shard} of ${store} in the middle of its keys? ${kept}`;
  return `Merge shard ${shard} of ${store} with the shard that has the next keys? ${kept}`;
}

function Details({ project, detail }: { project: string; detail: Detail | undefined }) {
  const [failure, setFailure] = useState<string>();
  const change = async (shard: ShardUsage, action: Reshard) => {
    if (!window.confirm(question(shard, action))) return;
    try {
      await reshard(project, shard, action);
      setFailure(undefined);
    } catch (cause) {
      setFailure(messageOf(cause));
    }
  };
  if (detail?.error) return <ErrorLine message={detail.error} />;
  if (!detail?.usage) return <p class="muted">Loading…</p>;
  return (
    <div class="usage-details">
      <h3>Shards that take rows</h3>
      {failure && <ErrorLine message={failure} />}
      <ShardsTable shards={detail.usage.shard_usage} onReshard={change} />
      <h3>Consumer groups</h3>
      <GroupsTable groups={detail.groups} />
    </div>
  );
}

export interface ProjectRowsProps {
  project: ProjectUsage;
  open: boolean;
  onToggle: () => void;
  detail: Detail | undefined;
}

export function ProjectRows({ project, open, onToggle, detail }: ProjectRowsProps) {
  const hot = project.shard_usage.filter(({ is_hot }) => is_hot).length;
  return (
    <tbody>
      <tr>
        <th scope="row">
          <button type="button" class="disclosure usage-project" aria-expanded={open} onClick={onToggle}>
            <Icon name="chevron" size={12} />
            {project.project}
          </button>
          {hot > 0 && <span class="state state-firing">{hot === 1 ? "1 hot shard" : `${hot} hot shards`}</span>}
        </th>
        <td>
          <Flow of={project} direction="write" />
        </td>
        <td>
          <Flow of={project} direction="read" />
        </td>
        <td class="num">{refusedText(project.write.refused + project.read.refused)}</td>
        <td>
          <Count name="Stores" used={project.stores} limit={project.limits.stores} />
        </td>
        <td>
          <Count name="Shards" used={project.shards} limit={project.limits.shards} />
        </td>
      </tr>
      {open && (
        <tr>
          <td colSpan={COLUMNS}>
            <Details project={project.project} detail={detail} />
          </td>
        </tr>
      )}
    </tbody>
  );
}
