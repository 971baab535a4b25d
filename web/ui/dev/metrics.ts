// Made-up series: the same waves for every query, enough to look at charts.
import type { MatrixSeries, PromResult } from "../src/lib/api";

export const metricNames = [
  "culprit_ingest_rows_total",
  "culprit_store_segments",
  "node_cpu_seconds_total",
  "node_memory_MemAvailable_bytes",
  "shop_latency_bucket",
  "shop_latency_count",
  "shop_latency_sum",
  "shop_requests_total",
  "up",
];

const services = ["cart", "catalog", "checkout", "frontend", "payment", "search"];

function wave(at: number, index: number): string {
  const value = 40 + index * 22 + 18 * Math.sin(at / (300 + index * 40)) + 4 * Math.sin(at / 17 + index);
  return value.toFixed(3);
}

/** A text is the error that a broken query gets. */
function broken(query: string): string | undefined {
  return query.includes("(") && !query.includes(")")
    ? `parse error at 1:${query.length}: missing ")" to close the call`
    : undefined;
}

export function range(form: URLSearchParams): PromResult | string {
  const [start = 0, end = 0, step = 15] = ["start", "end", "step"].map((name) => Number(form.get(name)));
  const refused = broken(form.get("query") ?? "");
  if (refused) return refused;
  const result = services.map((service, index): MatrixSeries => {
    const values: [number, string][] = [];
    for (let at = start; at <= end; at += step) {
      // One series has a gap, as a restarted target leaves it.
      if (index !== 2 || Math.abs(at - (start + end) / 2) > (end - start) / 20) values.push([at, wave(at, index)]);
    }
    return { metric: { __name__: "shop_requests", service, status: "200" }, values };
  });
  return { resultType: "matrix", result };
}

export function instant(form: URLSearchParams): PromResult | string {
  const at = Number(form.get("time"));
  const refused = broken(form.get("query") ?? "");
  if (refused) return refused;
  const result = services.map((service, index) => ({
    metric: { __name__: "shop_requests", service, status: "200" },
    value: [at, wave(at, index)] as [number, string],
  }));
  return { resultType: "vector", result };
}
