// Consumer groups of a project: who reads, and how many batches each shard's reader is behind.
import { formatAge, formatCount, formatTimestamp } from "../lib/format";
import type { ConsumerGroup, GroupShard } from "./api";

function consumers(group: ConsumerGroup): string {
  const names = [...new Set(group.shards.map(({ consumer }) => consumer))].filter((name) => name !== "");
  return names.length === 0 ? "nobody yet" : names.toSorted().join(", ");
}

/** The shard that is furthest behind. */
export function slowest(group: ConsumerGroup): GroupShard | undefined {
  return group.shards.toSorted((a, b) => b.behind - a.behind).find(({ behind }) => behind > 0);
}

function lastCheckpoint(group: ConsumerGroup): string | undefined {
  return group.shards
    .flatMap(({ updated }) => (updated === null ? [] : [updated]))
    .toSorted()
    .at(-1);
}

function Row({ group }: { group: ConsumerGroup }) {
  const behind = slowest(group);
  const at = lastCheckpoint(group);
  return (
    <tr>
      <th scope="row">
        {group.group} <span class="muted">reads {group.store}</span>
      </th>
      <td>{consumers(group)}</td>
      <td class="num">
        {formatCount(group.behind)}
        {behind && (
          <span class="muted">
            , {formatCount(behind.behind)} of them in shard {behind.shard}
          </span>
        )}
      </td>
      <td class="num">{at ? <time title={formatTimestamp(at)}>{formatAge(at)}</time> : "never"}</td>
      <td>{group.in_order ? "in order" : "any order"}</td>
    </tr>
  );
}

export function GroupsTable({ groups }: { groups: ConsumerGroup[] }) {
  if (groups.length === 0) return <p class="muted">No consumer group reads it.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Group</th>
          <th scope="col">Consumers</th>
          <th scope="col" class="num">
            Batches behind
          </th>
          <th scope="col" class="num">
            Checkpoint
          </th>
          <th scope="col">Order</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((group) => (
          <Row key={`${group.store}/${group.group}`} group={group} />
        ))}
      </tbody>
    </table>
  );
}
