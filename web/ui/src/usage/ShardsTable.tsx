// The shards of a project that take rows, with what is asked of them; hot ones come first, and any can be split or merged.
import { formatShare } from "../lib/format";
import type { Reshard, ShardFlow, ShardUsage } from "./api";
import { rateText, refusedText } from "./flow";
import { Meter } from "./Meter";

function busiest(shard: ShardUsage): number {
  return Math.max(shard.write.share, shard.read.share);
}

export function ranked(shards: ShardUsage[]): ShardUsage[] {
  return shards.toSorted((a, b) => busiest(b) - busiest(a) || a.store.localeCompare(b.store) || a.shard - b.shard);
}

function Flow({ name, flow }: { name: string; flow: ShardFlow }) {
  const promise = `its promise: ${rateText(flow)}`;
  return <Meter name={name} share={flow.share} figure={formatShare(flow.share)} limit={promise} />;
}

type OnReshard = (shard: ShardUsage, action: Reshard) => void;

function ReshardButton({ shard, action, onReshard }: { shard: ShardUsage; action: Reshard; onReshard: OnReshard }) {
  const title = action === "split" ? "Split" : "Merge";
  return (
    <button
      type="button"
      class="button"
      aria-label={`${title} shard ${shard.shard} of ${shard.store}`}
      onClick={() => onReshard(shard, action)}
    >
      {title}
    </button>
  );
}

function Row({ shard, onReshard }: { shard: ShardUsage; onReshard: OnReshard }) {
  return (
    <tr>
      <th scope="row">
        {shard.store} <span class="muted">shard {shard.shard}</span>
      </th>
      <td>
        <Flow name="Writes" flow={shard.write} />
      </td>
      <td>
        <Flow name="Reads" flow={shard.read} />
      </td>
      <td class="num">{refusedText(shard.write.refused + shard.read.refused)}</td>
      <td>{shard.is_hot ? <span class="state state-firing">hot</span> : <span class="muted">calm</span>}</td>
      <td class="usage-reshard">
        <ReshardButton shard={shard} action="split" onReshard={onReshard} />
        <ReshardButton shard={shard} action="merge" onReshard={onReshard} />
      </td>
    </tr>
  );
}

export function ShardsTable({ shards, onReshard }: { shards: ShardUsage[]; onReshard: OnReshard }) {
  if (shards.length === 0) return <p class="muted">It has no shard.</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Shard</th>
          <th scope="col">Asked to write</th>
          <th scope="col">Asked to read</th>
          <th scope="col" class="num">
            Refused
          </th>
          <th scope="col">State</th>
          <th scope="col">Keys</th>
        </tr>
      </thead>
      <tbody>
        {ranked(shards).map((shard) => (
          <Row key={`${shard.store}/${shard.shard}`} shard={shard} onReshard={onReshard} />
        ))}
      </tbody>
    </table>
  );
}
