// What a newcomer sees before anything has arrived: the one command that changes it.
import type { Mode } from "./location";

export function NoData({ project, mode }: { project: string; mode: Mode }) {
  const { origin } = window.location;
  const command =
    mode !== "promql"
      ? `curl '${origin}/api/ingest/${project}/app?format=ndjson' \\\n  -d '{"service":"web","status":500,"message":"hello"}'`
      : `remote_write:\n  - url: ${origin}/prometheus/${project}/metrics/api/v1/write`;
  return (
    <section class="no-data card">
      <h2>{mode !== "promql" ? `Project ${project} has no store yet` : `Project ${project} has no metrics yet`}</h2>
      <p>{mode !== "promql" ? "The first rows create their store:" : "Point a Prometheus at this server:"}</p>
      <pre class="mono">{command}</pre>
    </section>
  );
}
